//! One line a diagnostic: `file:line:column: error[code]: message`.

use std::fmt::Write;

use super::Diagnostic;
use crate::source::SourceMap;

/// Renders one diagnostic, with a line end.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let mut line = String::new();
    if let Some(span) = diagnostic.span() {
        let at = sources.line_column(span);
        let path = sources.file(span.file).path().display();
        let _ = write!(line, "{path}:{}:{}: ", at.line, at.column);
    }
    let _ = writeln!(
        line,
        "{}[{}]: {}",
        diagnostic.severity.name(),
        diagnostic.code.name(),
        diagnostic.message
    );
    line
}
