//! Doc comments: which comments belong to an item, and what they say without their signs.

use std::ops::Range;

use super::token::is_blank;
use crate::model::Doc;

/// The comments of a file.
#[derive(Debug)]
pub(crate) struct Comments<'a> {
    text: &'a str,
    /// In the order of the text.
    ranges: Vec<Range<usize>>,
}

impl<'a> Comments<'a> {
    pub(crate) fn new(text: &'a str, ranges: Vec<Range<usize>>) -> Self {
        Self { text, ranges }
    }

    /// The comment above an item, or before it on its line.
    pub(crate) fn above(&self, item_start: usize) -> Doc {
        let mut first = self.ranges.partition_point(|range| range.end <= item_start);
        let end = first;
        let mut below = item_start;
        while let Some(range) = first.checked_sub(1).map(|index| &self.ranges[index]) {
            let gap = &self.text[range.end..below];
            let touches = gap.chars().all(is_blank) && gap.matches('\n').count() <= 1;
            // Of a gap that does not touch, which may be long, only the beginning is looked at.
            let same_line = touches && !gap.contains('\n');
            // A comment after other code is about that code.
            let belongs = touches && (self.is_alone(range.start) || (first == end && same_line));
            // Lines join to one block; a `/* .. */` is a block already.
            let joins = first == end || (self.is_line(first) && self.is_line(first - 1));
            if !belongs || !joins {
                break;
            }
            first -= 1;
            below = range.start;
        }
        clean(
            self.ranges[first..end]
                .iter()
                .map(|range| &self.text[range.clone()]),
        )
    }

    /// The comment after an item on the line where it ends.
    pub(crate) fn after(&self, item_end: usize) -> Doc {
        let first = self.ranges.partition_point(|range| range.start < item_end);
        let mut end = first;
        let mut left = item_end;
        while let Some(range) = self.ranges.get(end) {
            if !self.text[left..range.start]
                .chars()
                .all(|c| matches!(c, ' ' | '\t' | ','))
            {
                break;
            }
            left = range.end;
            end += 1;
        }
        let next = self.text[left..]
            .chars()
            .find(|c| !matches!(c, ' ' | '\t' | '\r'));
        // What is between two items of a line belongs to the second.
        if !matches!(next, None | Some('\n' | '}')) {
            return Doc::new();
        }
        clean(
            self.ranges[first..end]
                .iter()
                .map(|range| &self.text[range.clone()]),
        )
    }

    /// Whether nothing is before it on its line.
    fn is_alone(&self, start: usize) -> bool {
        let before = self.text[..start].trim_end_matches([' ', '\t', '\r', '\u{b}', '\u{c}']);
        before.is_empty() || before.ends_with('\n')
    }

    fn is_line(&self, index: usize) -> bool {
        self.ranges
            .get(index)
            .is_some_and(|range| self.text[range.clone()].starts_with("//"))
    }
}

/// Removes the comment signs, empty lines at both ends, and the common indentation.
fn clean<'a>(comments: impl Iterator<Item = &'a str>) -> Doc {
    let mut lines: Vec<&str> = Vec::new();
    for comment in comments {
        match comment.strip_prefix("//") {
            Some(line) => lines.push(without_sign(line, ['/', '!'])),
            None => {
                let body = comment.strip_prefix("/*").unwrap_or(comment);
                let body = body.strip_suffix("*/").unwrap_or(body);
                let mut of_block = body.lines();
                let first = of_block.next().unwrap_or_default();
                lines.push(without_sign(first, ['*', '!']));
                lines.extend(of_block.map(|line| {
                    let trimmed = line.trim_start();
                    trimmed.strip_prefix('*').unwrap_or(line)
                }));
            }
        }
    }
    for line in &mut lines {
        *line = line.trim_end();
    }
    // Bytes that were not UTF-8: nobody could read it.
    if lines
        .iter()
        .any(|line| line.contains(char::REPLACEMENT_CHARACTER))
    {
        return Doc::new();
    }
    let is_text = |line: &&str| !line.chars().all(|c| is_blank(c) || "/*=-#".contains(c));
    let first = lines.iter().position(is_text).unwrap_or(lines.len());
    let end = lines
        .iter()
        .rposition(is_text)
        .map_or(first, |last| last + 1);
    let lines = &lines[first..end];
    let indent_of = |line: &&str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let indent = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(indent_of)
        .min()
        .unwrap_or(0);
    lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or_default().to_owned())
        .collect()
}

/// Removes the third character of `///`, `//!<` and the like.
fn without_sign(line: &str, signs: [char; 2]) -> &str {
    match line.strip_prefix(signs) {
        Some(rest) => rest.strip_prefix('<').unwrap_or(rest),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    /// The doc comment above and after the word `item`.
    fn docs(text: &str) -> (Doc, Doc) {
        let scan = super::super::scan::scan(FileId(0), text, 0).unwrap();
        let comments = Comments::new(text, scan.comments);
        let start = text.find("item").unwrap();
        (comments.above(start), comments.after(start + "item".len()))
    }

    fn above(text: &str) -> Doc {
        docs(text).0
    }

    #[test]
    fn styles() {
        assert_eq!(above("/// one\n///  two\nitem"), ["one", " two"]);
        assert_eq!(above("//one\n//\n// two\nitem"), ["one", "", " two"]);
        assert_eq!(above("/** one\n  * two\n  */\n  item"), ["one", "two"]);
        assert_eq!(
            above("/*\r\n   one\r\n     two\r\n*/\r\nitem"),
            ["one", "  two"]
        );
        assert_eq!(above("/** a */ item"), ["a"]);
        assert_eq!(above("////////\n// x\n////////\nitem"), ["x"]);
    }

    #[test]
    fn what_is_not_about_the_item() {
        assert_eq!(above("// far\n\nitem"), [""; 0]);
        assert_eq!(above("other // its own\nitem"), [""; 0]);
        assert_eq!(above("// far\n\n// near\nitem"), ["near"]);
        assert_eq!(above("/* first */\n/* second */\nitem"), ["second"]);
        assert_eq!(above("other; // its own\n// near\nitem"), ["near"]);
    }

    #[test]
    fn after_the_item() {
        assert_eq!(docs("item, //!< one\n").1, ["one"]);
        assert_eq!(docs("item /**< one */ /// two").1, ["one", "two"]);
        assert_eq!(docs("item /* no */ other").1, [""; 0]);
        assert_eq!(docs("item\n// no").1, [""; 0]);
    }
}
