//! One JSON object a diagnostic, on one line.
//!
//! ```json
//! {"code":"duplicate-tag","severity":"error","message":"..","spans":[{"file":"a.tars","line":3,"column":5,
//! "end_line":3,"end_column":6,"byte_start":21,"byte_end":22,"primary":true,"label":".."}],"notes":[],"help":[]}
//! ```
//!
//! Lines and columns count from 1, columns in characters; bytes count from 0. Ends are one past the last. The primary
//! span comes first. An error that is about no line of IDL or config has the code `null` and no spans.

use serde::Serialize;

use super::{Diagnostic, Label};
use crate::source::SourceMap;

#[derive(Serialize)]
struct Object<'a> {
    code: Option<&'a str>,
    severity: &'a str,
    message: &'a str,
    spans: Vec<Span<'a>>,
    notes: &'a [String],
    help: &'a [String],
}

#[derive(Serialize)]
struct Span<'a> {
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    byte_start: usize,
    byte_end: usize,
    primary: bool,
    label: &'a str,
}

/// Renders one diagnostic, with a line end.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    line(&Object {
        code: Some(diagnostic.code.name()),
        severity: diagnostic.severity.name(),
        message: &diagnostic.message,
        spans: diagnostic
            .labels
            .iter()
            .map(|label| span(label, sources))
            .collect(),
        notes: &diagnostic.notes,
        help: &diagnostic.help,
    })
}

/// Renders an error that has no diagnostic, with a line end.
#[must_use]
pub fn plain(message: &str) -> String {
    line(&Object {
        code: None,
        severity: "error",
        message,
        spans: Vec::new(),
        notes: &[],
        help: &[],
    })
}

fn span<'a>(label: &'a Label, sources: &SourceMap) -> Span<'a> {
    let file = sources.file(label.span.file);
    let (start, end) = (sources.line_column(label.span), sources.end(label.span));
    Span {
        file: file.path().display().to_string(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        byte_start: file.offset_on_disk(label.span.start),
        byte_end: file.offset_on_disk(label.span.end),
        primary: label.primary,
        label: &label.text,
    }
}

fn line(object: &Object<'_>) -> String {
    // Writing to a `String` fails for maps with strange keys only, and there is none.
    let mut line = serde_json::to_string(object).unwrap_or_default();
    line.push('\n');
    line
}
