//! Workflow commands of GitHub: `::error file=..,line=..,col=..,endLine=..,endColumn=..,title=..::message`. GitHub
//! shows them beside the lines of a pull request.

use std::fmt::Write;

use super::{Diagnostic, Label};
use crate::source::SourceMap;

/// Renders one diagnostic, with a line end.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut properties = String::new();
    if let Some(span) = diagnostic.span() {
        let path = sources.file(span.file).path().display().to_string();
        let (start, end) = (sources.line_column(span), sources.end(span));
        let _ = write!(
            properties,
            "file={},line={},col={},endLine={},endColumn={},",
            property(&path),
            start.line,
            start.column,
            end.line,
            end.column
        );
    }
    let title = property(diagnostic.code.name());
    // It has one place only, so that the others go into the text.
    let mut message = diagnostic.message.clone();
    for label in &diagnostic.labels {
        message += &place(label, sources);
    }
    for note in &diagnostic.notes {
        let _ = write!(message, "\nnote: {note}");
    }
    for help in &diagnostic.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let message = data(&message);
    let severity = diagnostic.severity.name();
    format!("::{severity} {properties}title={title}::{message}\n")
}

/// A line about a label, if it says something that the message does not.
fn place(label: &Label, sources: &SourceMap) -> String {
    if label.text.is_empty() {
        return String::new();
    }
    let path = sources.file(label.span.file).path().display();
    let at = sources.line_column(label.span);
    format!("\n{path}:{}:{}: {}", at.line, at.column, label.text)
}

/// Renders an error that has no diagnostic, with a line end.
#[must_use]
pub fn plain(message: &str) -> String {
    format!("::error::{}\n", data(message))
}

/// What follows `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// The value of a property, which `,` and `:` would end.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
