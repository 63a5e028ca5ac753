//! The long form for people: message, place, source lines with labels, notes and help.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Label, Severity};
use crate::source::{FileId, SourceFile, SourceMap};

/// Labels at most this many lines apart share an excerpt.
const MAX_EXCERPT_LINES: usize = 60;
/// A longer line (in bytes) is cut around its label.
const MAX_LINE_BYTES: usize = 200;
/// What is left of a cut line: so many bytes before the start of the label and after it.
const CUT_LINE_BYTES: usize = 70;

/// Renders one diagnostic, with a line end. `color` uses ANSI escapes.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(
        level
            .primary_title(diagnostic.message.as_str())
            .id(diagnostic.code.name()),
    );
    let mut moved = Vec::new();
    for (file, labels) in labels_by_file(&diagnostic.labels) {
        for excerpt in excerpts(sources.file(file), &labels) {
            group = group.element(excerpt.snippet);
            moved.extend(excerpt.moved);
        }
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    text.push('\n');
    for (printed, real) in moved {
        text = text.replacen(&printed, &real, 1);
    }
    text
}

/// The labels of each file, the file of the primary label first.
fn labels_by_file(labels: &[Label]) -> Vec<(FileId, Vec<&Label>)> {
    let mut files: Vec<(FileId, Vec<&Label>)> = Vec::new();
    for label in labels {
        match files.iter_mut().find(|(file, _)| *file == label.span.file) {
            Some((_, of_file)) => of_file.push(label),
            None => files.push((label.span.file, vec![label])),
        }
    }
    files
}

/// A few source lines.
struct Excerpt<'a> {
    snippet: Snippet<'a, Annotation<'a>>,
    /// The renderer counts columns from the cut of a cut line: what it prints as the place, and the real one.
    moved: Option<(String, String)>,
}

/// One excerpt with all labels when their lines are close together and short, otherwise one for each label.
fn excerpts<'a>(file: &'a SourceFile, labels: &[&'a Label]) -> Vec<Excerpt<'a>> {
    let lines = || {
        labels
            .iter()
            .map(|label| file.line_column(label.span.start).line)
    };
    let (first, last) = (lines().min().unwrap_or(1), lines().max().unwrap_or(1));
    let together = last - first < MAX_EXCERPT_LINES
        && (first..=last).all(|line| file.line_range(line).len() <= MAX_LINE_BYTES);
    if together {
        let bytes = file.line_range(first).start..file.line_range(last).end;
        vec![excerpt(file, bytes, labels)]
    } else {
        labels
            .iter()
            .map(|label| excerpt(file, around(file, label), &[label]))
            .collect()
    }
}

fn excerpt<'a>(file: &'a SourceFile, bytes: Range<usize>, labels: &[&'a Label]) -> Excerpt<'a> {
    let first_line = file.line_column(bytes.start as u32).line;
    let annotations = labels.iter().map(|label| {
        let line = file.line_range(file.line_column(label.span.start).line);
        let end_of_line = line.end.min(bytes.end);
        let start = (label.span.start as usize).min(end_of_line);
        let end = (label.span.end as usize).clamp(start, end_of_line);
        let kind = if label.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let text = (!label.text.is_empty()).then_some(label.text.as_str());
        kind.span(start - bytes.start..end - bytes.start)
            .label(text)
    });
    let annotations: Vec<_> = annotations.collect();
    let source = file.text().get(bytes.clone()).unwrap_or_default();
    let path = file.path().display();
    let cut = bytes.start - file.line_range(first_line).start;
    let moved = (cut > 0).then(|| {
        let at = file.line_column(labels[0].span.start);
        let column = at.column + 1 - file.line_column(bytes.start as u32).column;
        (
            format!("{path}:{}:{column}", at.line),
            format!("{path}:{}:{}", at.line, at.column),
        )
    });
    let snippet = Snippet::source(source)
        .line_start(first_line)
        .path(path.to_string())
        .annotations(annotations);
    Excerpt { snippet, moved }
}

/// The line of a label, cut when it is too long to be read.
fn around(file: &SourceFile, label: &Label) -> Range<usize> {
    let line = file.line_range(file.line_column(label.span.start).line);
    if line.len() <= MAX_LINE_BYTES {
        return line;
    }
    let text = file.text();
    let mut start = (label.span.start as usize)
        .min(line.end)
        .saturating_sub(CUT_LINE_BYTES)
        .max(line.start);
    let mut end = (start + 2 * CUT_LINE_BYTES).min(line.end);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::diagnostic::Code;
    use crate::source::Span;

    fn rendered(text: &str, spans: &[(u32, u32)]) -> String {
        let mut sources = SourceMap::default();
        let file = sources.add(PathBuf::from("a.tars"), text.to_owned());
        let mut diagnostic =
            Diagnostic::new(Code::DuplicateTag, "two of them").help("choose another");
        for (index, &(start, end)) in spans.iter().enumerate() {
            let span = Span { file, start, end };
            diagnostic = if index == 0 {
                diagnostic.at(span, "here")
            } else {
                diagnostic.see(span, "first")
            };
        }
        render(&diagnostic, &sources, false)
    }

    #[test]
    fn labels_of_near_lines_share_an_excerpt() {
        insta::assert_snapshot!(rendered("one\ntwo\nthree\n", &[(8, 13), (0, 3)]), @r"
        error[duplicate-tag]: two of them
         --> a.tars:3:1
          |
        1 | one
          | --- first
        2 | two
        3 | three
          | ^^^^^ here
          |
          = help: choose another
        ");
    }

    #[test]
    fn the_end_of_the_file_can_be_labelled() {
        insta::assert_snapshot!(rendered("one\ntwo\n", &[(8, 8)]), @r"
        error[duplicate-tag]: two of them
         --> a.tars:3:1
          |
        3 |
          | ^ here
          |
          = help: choose another
        ");
    }

    #[test]
    fn long_lines_are_cut_but_the_column_is_true() {
        let text = format!("{}é@{}", "x".repeat(100_000), "y".repeat(100_000));
        insta::assert_snapshot!(rendered(&text, &[(100_002, 100_003)]), @r"
        error[duplicate-tag]: two of them
         --> a.tars:1:100002
          |
        1 | xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxé@yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...
          |                                                                      ^ here
          |
          = help: choose another
        ");
    }

    #[test]
    fn no_place_is_fine() {
        insta::assert_snapshot!(rendered("", &[]), @r"
        error[duplicate-tag]: two of them
         |
         = help: choose another
        ");
    }
}
