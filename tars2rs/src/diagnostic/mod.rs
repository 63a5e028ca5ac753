//! Diagnostics as data. What they look like is the business of the renderers: [`text`] for people, [`short`] for
//! editors, `json` for programs and [`github`] for GitHub's workflows; each further format is one more module beside
//! them.

mod code;
pub mod github;
#[cfg(feature = "cli")]
pub mod json;
mod list;
pub mod short;
pub mod text;

pub use code::Code;
pub(crate) use list::Diagnostics;

use crate::source::Span;

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is generated.
    Error,
    /// Worth a look; the output is as meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place that a diagnostic points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is said there; may be empty.
    pub text: String,
    /// Whether this is where to look first, or a place that explains it.
    pub primary: bool,
}

/// One complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Diagnostic {
    /// What it is about.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One line, complete without the source text.
    pub message: String,
    /// The places involved, the primary one first. None when the trouble is in no file.
    pub labels: Vec<Label>,
    /// Facts that explain it.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// A complaint that points nowhere yet.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: clip(message.into()),
            labels: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// Points at the place to look at first.
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.insert(
            0,
            Label {
                span,
                text: clip(text.into()),
                primary: true,
            },
        );
        self
    }

    /// Points at a place that explains it.
    pub fn see(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: clip(text.into()),
            primary: false,
        });
        self
    }

    /// Adds a fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(clip(note.into()));
        self
    }

    /// Adds an advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(clip(help.into()));
        self
    }

    /// The place to look at first.
    #[must_use]
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }

    /// Whether it prevents output.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Cuts what no person would read to the end: a name may be as long as its file.
fn clip(mut text: String) -> String {
    const MAX_CHARS: usize = 400;
    if let Some((end, _)) = text.char_indices().nth(MAX_CHARS) {
        text.truncate(end);
        text.push_str("..");
    }
    text
}
