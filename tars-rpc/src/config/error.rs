//! What is wrong with a config file, and where.

use std::{fmt, io, ops::Range, sync::Arc};

/// Faults that are reported of one file; more than anyone reads at once.
const MAX_FAULTS: usize = 20;

/// Characters of a source line that are shown on each side of a fault.
const CONTEXT: usize = 60;

/// A config file that cannot be read, understood or changed.
///
/// Printed, it has a line for each fault, and the source line below it:
///
/// ```
/// use tars_rpc::config::Document;
///
/// let error = Document::parse_named("chat.conf", "<tars>\n  key=a\\b\n</tars>\n").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "chat.conf:2:8: unknown escape `\\b`; `\\\\`, `\\=`, `\\t`, `\\r` and `\\n` are known\n\
///      \x20   |   key=a\\b\n\
///      \x20   |        ^^",
/// );
/// ```
#[derive(Debug, Clone)]
pub struct ConfigError(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    file: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Read(Arc<io::Error>),
    Faults(Vec<Fault>),
    Edit(String),
}

/// One thing that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    message: String,
    line: usize,
    column: usize,
    /// The source line, or the part of it around the fault.
    excerpt: String,
    /// What of the excerpt is wrong, in characters.
    marked: Range<usize>,
}

impl Fault {
    /// What is wrong, and what is expected.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character of the line, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl ConfigError {
    pub(super) fn read(file: &str, error: io::Error) -> Self {
        Self::new(file, Kind::Read(Arc::new(error)))
    }

    /// A change that cannot be made.
    pub(super) fn edit(file: &str, message: String) -> Self {
        Self::new(file, Kind::Edit(message))
    }

    fn new(file: &str, kind: Kind) -> Self {
        let file = file.to_owned();
        Self(Box::new(Inner { file, kind }))
    }

    /// The file, as the caller named it.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// All faults, in their order; none if the file could not be read at all.
    pub fn faults(&self) -> &[Fault] {
        match &self.0.kind {
            Kind::Faults(faults) => faults,
            Kind::Read(_) | Kind::Edit(_) => &[],
        }
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            Kind::Read(error) => Some(&**error),
            Kind::Faults(_) | Kind::Edit(_) => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { file, kind } = &*self.0;
        match kind {
            Kind::Read(error) => write!(f, "cannot read {file}: {error}"),
            Kind::Edit(message) => write!(f, "{file}: {message}"),
            Kind::Faults(faults) => {
                for (i, fault) in faults.iter().enumerate() {
                    let newline = if i == 0 { "" } else { "\n" };
                    write!(f, "{newline}{file}:{fault}")?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column, excerpt) = (self.line, self.column, &self.excerpt);
        writeln!(f, "{line}:{column}: {}", self.message)?;
        writeln!(f, "    | {excerpt}")?;
        let carets = "^".repeat(self.marked.len().max(1));
        write!(f, "    | {:1$}{carets}", "", self.marked.start)
    }
}

/// Collects the faults of a text.
#[derive(Debug)]
pub(super) struct Faults<'t> {
    text: &'t str,
    found: Vec<(Range<usize>, String)>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let found = Vec::new();
        Self { text, found }
    }

    /// Something is wrong with these bytes of the text.
    pub(super) fn add(&mut self, at: Range<usize>, message: impl Into<String>) {
        if self.found.len() < MAX_FAULTS {
            self.found.push((at, message.into()));
        }
    }

    /// Nothing was found, or all of it in the order of the text.
    pub(super) fn into_result(mut self, file: &str) -> Result<(), ConfigError> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(at, _)| at.start);
        let faults = self.found.into_iter();
        let faults = faults.map(|(at, message)| fault(self.text, at, message));
        Err(ConfigError::new(file, Kind::Faults(faults.collect())))
    }
}

fn fault(text: &str, at: Range<usize>, message: String) -> Fault {
    let (before, after) = text.split_at_checked(at.start).unwrap_or((text, ""));
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let before = before.get(line_start..).unwrap_or_default();
    let before = before.trim_start_matches('\u{feff}');
    let column = before.chars().count() + 1;

    let after = after.lines().next().unwrap_or_default();
    let marked = after.get(..at.len()).unwrap_or(after).chars();
    let marked = marked.count().min(CONTEXT);
    let skipped = (column - 1).saturating_sub(CONTEXT);
    let shown = before.chars().skip(skipped);
    let shown = shown.chain(after.chars().take(CONTEXT));
    // One column each: carets stand below what they mean.
    let shown = shown.map(|c| if c.is_control() { ' ' } else { c });
    let start = column - 1 - skipped;
    Fault {
        message,
        line,
        column,
        excerpt: shown.collect(),
        marked: start..start + marked,
    }
}
