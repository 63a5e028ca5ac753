//! Diagnostics while they are collected.

use super::{Code, Diagnostic};

/// More diagnostics than this are not shown.
const MAX: usize = 500;

/// The diagnostics of a run, in no order. Beyond a limit they are only counted: a file may have a fault in every byte,
/// and each diagnostic takes hundreds of them.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    /// How many were not kept.
    more: usize,
}

impl Diagnostics {
    /// Takes one more.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        let kept = if diagnostic.is_error() {
            &mut self.errors
        } else {
            &mut self.warnings
        };
        if kept.len() < MAX {
            kept.push(diagnostic);
        } else {
            self.more += 1;
        }
    }

    /// Takes all of another list.
    pub(crate) fn append(&mut self, other: Self) {
        self.more += other.more;
        self.extend(other.errors.into_iter().chain(other.warnings));
    }

    /// Whether one of them prevents output.
    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// By file and place. If they are more than anybody would read, errors come first, and the last one says how many
    /// more there were.
    pub(crate) fn sorted(self) -> Vec<Diagnostic> {
        let more = self.more + (self.errors.len() + self.warnings.len()).saturating_sub(MAX);
        let mut all = self.errors;
        all.extend(self.warnings);
        all.sort_by_key(|diagnostic| (more > 0 && !diagnostic.is_error(), diagnostic.span()));
        if more > 0 {
            all.truncate(MAX);
            let message = format!("{more} more messages are not shown");
            all.push(Diagnostic::new(Code::TooManyMessages, message));
        }
        all
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        diagnostics.into_iter().for_each(|one| self.push(one));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{FileId, Span};

    fn list(errors: usize, warnings: usize) -> Vec<Diagnostic> {
        let one = |code, at: usize| {
            let span = Span {
                file: FileId(0),
                start: at as u32,
                end: at as u32 + 1,
            };
            Diagnostic::new(code, "").at(span, "")
        };
        let mut list = Diagnostics::default();
        list.extend((0..warnings).map(|at| one(Code::NotUtf8, 2 * at)));
        let mut other = Diagnostics::default();
        other.extend((0..errors).map(|at| one(Code::SyntaxError, 2 * at + 1)));
        list.append(other);
        assert_eq!(list.has_errors(), errors > 0);
        list.sorted()
    }

    #[test]
    fn few_are_sorted_by_place() {
        let codes: Vec<_> = list(2, 2).iter().map(|d| d.code).collect();
        let (error, warning) = (Code::SyntaxError, Code::NotUtf8);
        assert_eq!(codes, [warning, error, warning, error]);
        assert_eq!(list(MAX - 1, 1).len(), MAX);
        assert_eq!(list(MAX, 0).len(), MAX);
    }

    #[test]
    fn beyond_the_limit_they_are_counted() {
        for (errors, warnings, more) in [
            (MAX, 1, 1),
            (MAX + 1, 0, 1),
            (1, MAX, 1),
            (MAX, MAX, MAX),
            (10 * MAX, 10 * MAX, 19 * MAX),
        ] {
            let all = list(errors, warnings);
            assert_eq!(all.len(), MAX + 1);
            assert!(all[..errors.min(MAX)].iter().all(Diagnostic::is_error));
            let last = all.last().unwrap();
            assert_eq!(last.code, Code::TooManyMessages);
            assert_eq!(
                last.message,
                format!("{more} more messages are not shown"),
                "{errors} {warnings}"
            );
        }
    }
}
