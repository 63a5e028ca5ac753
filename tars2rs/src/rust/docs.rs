//! Doc comments of the IDL as doc comments of Rust.

/// The lines of a doc comment, or `fallback` where the IDL has none. Each line ends with a line end.
pub(super) fn outer(indent: usize, doc: &[String], fallback: &str) -> String {
    comment("///", indent, doc, fallback)
}

/// The same as an ordinary comment: the head of a file, which an index turns into the doc comment of its module.
pub(super) fn plain(doc: &[String], fallback: &str) -> String {
    comment("//", 0, doc, fallback)
}

fn comment(sign: &str, indent: usize, doc: &[String], fallback: &str) -> String {
    let indent = " ".repeat(indent);
    let mut lines = markdown(doc);
    if lines.is_empty() {
        lines.push(fallback.to_owned());
    }
    let with_sign = |line: String| format!("{indent}{}\n", format!("{sign} {line}").trim_end());
    lines.into_iter().map(with_sign).collect()
}

/// What people write in IDL comments is plain text. Rustdoc reads markdown, and would take some of it for links to
/// nowhere, HTML, or code to be compiled and run.
///
/// Code is what begins with a fence, or with four blanks, both counted from the list or quotation that the line is in.
/// So there are no fences but those at the beginning of a line that are written here, with `text` behind them; and no
/// line begins with more than three blanks, nor has more than one behind the mark of a list.
fn markdown(doc: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<&str> = None;
    let doc: Vec<String> = doc
        .iter()
        .map(|line| {
            let line: String = line.chars().filter(|&c| is_harmless(c)).collect();
            line.replace('\t', "    ")
        })
        .collect();
    for line in &doc {
        let text = line.trim();
        if let Some(fence) = open {
            if ends(text, fence) {
                lines.push(fence.to_owned());
                open = None;
            } else {
                lines.push(line.trim_end().to_owned());
            }
        } else if let Some(fence) = fence(text) {
            lines.push(format!("{fence}text"));
            open = Some(fence);
        } else {
            let depth = (line.len() - line.trim_start().len()).min(3);
            let text = escape(&without_gaps(text));
            lines.push(format!("{}{text}", " ".repeat(depth)));
        }
    }
    lines.extend(open.map(str::to_owned));
    let used = lines
        .iter()
        .rposition(|line| !line.trim().is_empty())
        .map_or(0, |last| last + 1);
    lines.truncate(used);
    let empty = lines
        .iter()
        .take_while(|line| line.trim().is_empty())
        .count();
    lines.split_off(empty)
}

/// The fence with which a line begins a block of code.
fn fence(line: &str) -> Option<&str> {
    let sign = if line.starts_with('~') { '~' } else { '`' };
    let info = line.trim_start_matches(sign);
    let fence = &line[..line.len() - info.len()];
    // With another backtick on the line it is code within the text.
    (fence.len() >= 3 && !(sign == '`' && info.contains(sign))).then_some(fence)
}

/// Whether a line ends the block that this fence began.
fn ends(line: &str, fence: &str) -> bool {
    line.strip_prefix(fence).is_some_and(|rest| {
        rest.bytes()
            .all(|byte| fence.as_bytes().first() == Some(&byte))
    })
}

/// One blank behind each mark of a list with which a line begins.
fn without_gaps(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((mark, behind)) = rest.split_once(' ')
        && mark
            .chars()
            .all(|c| c.is_ascii_digit() || "-+*.)".contains(c))
    {
        text.extend([mark, " "]);
        rest = behind.trim_start();
    }
    text + rest
}

/// No control characters, and none of those that turn the direction of the text, which rustc refuses.
fn is_harmless(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    // Code within the text has one at each end; three may be a fence.
    let balanced = line.matches('`').count().is_multiple_of(2) && !line.contains("``");
    for (index, part) in line.split('`').enumerate() {
        if index > 0 {
            text.push_str(if balanced { "`" } else { "\\`" });
        }
        if balanced && index % 2 == 1 {
            text.push_str(part);
            continue;
        }
        for word in part.split_inclusive(' ') {
            escape_word(word, &mut text);
        }
    }
    text
}

fn escape_word(word: &str, text: &mut String) {
    // In Chinese text there is no blank before one, and in brackets neither.
    if let Some(at) = word.find("http://").or_else(|| word.find("https://")) {
        let (before, url) = word.split_at(at);
        let len = url.find(is_behind_url).unwrap_or(url.len());
        let (url, behind) = url.split_at(len);
        escape_word(before, text);
        text.push_str(&format!("<{url}>"));
        return escape_word(behind, text);
    }
    let tildes = word.contains("~~~");
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = match c {
            '[' | ']' | '<' | '>' => true,
            '~' => tildes,
            // Elsewhere it is no escape, and `\brief` can stay. At the end of a word a backtick may follow.
            '\\' => chars.peek().is_none_or(char::is_ascii_punctuation),
            _ => false,
        };
        if escaped {
            text.push('\\');
        }
        text.push(c);
    }
}

fn is_behind_url(c: char) -> bool {
    c.is_whitespace()
        || !c.is_ascii()
        || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '\\' | '"')
}

#[cfg(test)]
mod tests {

    fn outer(text: &str) -> String {
        let doc: Vec<String> = text.lines().map(str::to_owned).collect();
        super::outer(0, &doc, "Nothing.")
    }

    #[test]
    fn text_stays() {
        assert_eq!(outer("One.\n\n  two\n"), "/// One.\n///\n///   two\n");
        assert_eq!(outer(" \n"), "/// Nothing.\n");
    }

    #[test]
    fn addresses_become_links() {
        assert_eq!(
            outer("see http://a.bc/d, (https://a.bc) or \u{89c1}http://a.bc/\u{3002}<x>"),
            "/// see <http://a.bc/d,> (<https://a.bc>) or \u{89c1}<http://a.bc/>\u{3002}\\<x\\>\n"
        );
    }

    #[test]
    fn code_becomes_text() {
        assert_eq!(outer("a\n        b()"), "/// a\n///    b()\n");
        assert_eq!(
            outer("```\nx < y [z]\n```"),
            "/// ```text\n/// x < y [z]\n/// ```\n"
        );
        assert_eq!(outer("```cpp\nx"), "/// ```text\n/// x\n/// ```\n");
        assert_eq!(
            outer("~~~~ rust\n~~~\nx\n  ~~~~~"),
            "/// ~~~~text\n/// ~~~\n/// x\n/// ~~~~\n"
        );
        assert_eq!(outer("- ```\nx"), "/// - \\`\\`\\`\n/// x\n");
        assert_eq!(outer("* ~~~~"), "/// * \\~\\~\\~\\~\n");
        assert_eq!(outer("```` a `b`"), "/// \\`\\`\\`\\` a \\`b\\`\n");
        assert_eq!(outer("- 1.     x    y"), "/// - 1. x    y\n");
    }

    /// The blocks of code in markdown, each by what is behind its fence; `None` for an indented one. By the rules of
    /// CommonMark, with all containers that a line may begin.
    fn blocks_of_code(markdown: &str) -> Vec<Option<&str>> {
        let mut blocks = Vec::new();
        let mut open: Option<&str> = None;
        for line in markdown.lines() {
            let line = line.strip_prefix("///").unwrap();
            let line = line.strip_prefix(' ').unwrap_or(line);
            if let Some(fence) = open {
                let indent = line.len() - line.trim_start_matches(' ').len();
                let end = line.trim();
                let is_fence =
                    end.len() >= fence.len() && end.trim_start_matches(&fence[..1]).is_empty();
                if is_fence && indent < 4 {
                    open = None;
                }
                continue;
            }
            let mut rest = line;
            loop {
                let text = rest.trim_start_matches(' ');
                if rest.len() - text.len() > 3 && !text.is_empty() {
                    blocks.push(None);
                }
                let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
                let behind = match number.strip_prefix(['.', ')']) {
                    Some(behind) if number.len() < text.len() => Some(behind),
                    _ => text.strip_prefix(['-', '+', '*', '>']),
                };
                match behind {
                    Some(behind) if text.starts_with('>') => rest = behind,
                    Some(behind) if behind.starts_with(' ') => rest = &behind[1..],
                    _ => {
                        rest = text;
                        break;
                    }
                }
            }
            for sign in ["`", "~"] {
                let info = rest.trim_start_matches(sign);
                let fence = &rest[..rest.len() - info.len()];
                if fence.len() >= 3 && !(sign == "`" && info.contains('`')) {
                    assert!(line.starts_with(fence), "in a container: {line}");
                    blocks.push(Some(info));
                    open = Some(fence);
                }
            }
        }
        assert_eq!(open, None, "never closed");
        blocks
    }

    const PIECES: &[&str] = &[
        "```",
        "````",
        "~~~",
        "~~~~",
        "`",
        "~",
        "- ",
        "* ",
        "+",
        "1. ",
        "12)",
        "> ",
        "    ",
        "\t",
        " ",
        "\u{3000}",
        "rust",
        "text",
        "x",
        "\\",
        "[",
        "<",
        "http://a ",
        "\n",
        "\n",
        "\n\n",
    ];

    proptest::proptest! {
        #[test]
        fn no_code_is_left_that_rustdoc_would_run(
            pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40),
        ) {
            let text = pieces.concat();
            let comment = outer(&text);
            for block in blocks_of_code(&comment) {
                assert_eq!(block, Some("text"), "{text:?} became {comment}");
            }
        }
    }

    #[test]
    fn links_and_html_are_escaped_outside_of_code() {
        assert_eq!(
            outer("map<K, V> [x](y) `a<b>[0]`"),
            "/// map\\<K, V\\> \\[x\\](y) `a<b>[0]`\n"
        );
        assert_eq!(
            outer("see http://a.b/c?d it`s"),
            "/// see <http://a.b/c?d> it\\`s\n"
        );
        assert_eq!(
            outer("\\brief \\[x] \\`<b>` ``<b>``"),
            "/// \\brief \\\\\\[x\\] \\\\\\`\\<b\\>\\` \\`\\`\\<b\\>\\`\\`\n"
        );
    }

    #[test]
    fn dangerous_characters_go() {
        assert_eq!(outer("a\u{202e}b\u{7}c"), "/// abc\n");
    }
}
