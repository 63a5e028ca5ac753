//! What goes to the terminal: diagnostics and errors on standard error, results on standard output.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use tars2rs::diagnostic::{github, json, short, text};
use tars2rs::{Error, Findings};

use super::Outcome;

/// Options of every command that reads IDL.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// When to color messages
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// How to show errors and warnings: with the lines of the source, one line each, as JSON objects, or as commands
    /// of a GitHub workflow
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    message_format: Format,
    /// What to take for an error
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
}

// What would be the documentation of a variant would be in the help too, in a long form.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    // On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Short,
    Json,
    Github,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Deny {
    Warnings,
}

impl Options {
    /// Shows what is no error by itself; whether the run may go on.
    pub(super) fn warn(&self, findings: &mut [Findings]) -> bool {
        if self.deny.is_some() {
            findings.iter_mut().for_each(Findings::deny_warnings);
        }
        findings.iter().for_each(|findings| self.show(findings));
        !findings.iter().any(Findings::has_errors)
    }

    fn show(&self, findings: &Findings) {
        let sources = &findings.sources;
        for diagnostic in &findings.diagnostics {
            let message = match self.message_format {
                Format::Text => {
                    let color = self.wants_color(&io::stderr());
                    // An empty line between excerpts.
                    text::render(diagnostic, sources, color) + "\n"
                }
                Format::Short => short::render(diagnostic, sources),
                Format::Json => json::render(diagnostic, sources),
                Format::Github => github::render(diagnostic, sources),
            };
            write(io::stderr(), &message);
        }
    }

    /// Shows why a run ended early.
    pub(super) fn fail(&self, error: Error) -> Outcome {
        if let Error::Invalid(mut findings) = error {
            self.warn(&mut findings);
            return Outcome::Bad;
        }
        let message = match self.message_format {
            Format::Text | Format::Short => format!("error: {error}\n"),
            Format::Json => json::plain(&error.to_string()),
            Format::Github => github::plain(&error.to_string()),
        };
        write(io::stderr(), &message);
        Outcome::Failed
    }

    /// Prints a line of a diff.
    pub(super) fn diff_line(&self, line: &str) {
        let color = match line.as_bytes().first() {
            _ if !self.wants_color(&io::stdout()) => None,
            Some(b'+') => Some(32),
            Some(b'-') => Some(31),
            Some(b'@') => Some(36),
            _ => None,
        };
        match color {
            Some(color) => print(format_args!("\x1b[{color}m{line}\x1b[0m")),
            None => print(line),
        }
    }

    fn wants_color(&self, stream: &impl IsTerminal) -> bool {
        match self.color {
            Color::Auto => {
                stream.is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
            Color::Always => true,
            Color::Never => false,
        }
    }
}

/// Prints a line of the result.
pub(super) fn print(line: impl Display) {
    write(io::stdout(), &format!("{line}\n"));
}

/// Prints a result that is a file by itself.
pub(super) fn print_bytes(bytes: &[u8]) {
    // As in `write`.
    let _ = io::stdout().write_all(bytes);
}

/// Shows an error that is about no IDL and no config.
pub(super) fn print_error(message: impl Display) {
    write(io::stderr(), &format!("error: {message}\n"));
}

/// A reader that went away, such as `head`, is no reason to fail.
fn write(mut stream: impl Write, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}
