//! What goes to the terminal: diagnostics and errors on standard error, results on standard output.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use tars2rs::diagnostic::{short, text};
use tars2rs::{Error, Findings};

use super::Outcome;

/// Options of every command.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// When to color messages
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    /// How to show errors and warnings: with the lines of the source, or one line each
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    message_format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Color {
    // On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    // With the lines of the source.
    Text,
    Short,
}

impl Options {
    /// Shows errors and warnings.
    pub(super) fn show(&self, findings: &Findings) {
        for diagnostic in &findings.diagnostics {
            let message = match self.message_format {
                Format::Text => {
                    let color = self.wants_color(&io::stderr());
                    // An empty line between excerpts.
                    text::render(diagnostic, &findings.sources, color) + "\n"
                }
                Format::Short => short::render(diagnostic, &findings.sources),
            };
            write(io::stderr(), &message);
        }
    }

    /// Shows why a run ended early.
    pub(super) fn fail(&self, error: &Error) -> Outcome {
        if let Error::Invalid(findings) = error {
            findings.iter().for_each(|findings| self.show(findings));
            return Outcome::Bad;
        }
        write(io::stderr(), &format!("error: {error}\n"));
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

/// A reader that went away, such as `head`, is no reason to fail.
fn write(mut stream: impl Write, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}
