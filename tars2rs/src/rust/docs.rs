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

/// What people write in IDL comments is plain text. Rustdoc reads markdown, and would take some of it for code to be
/// compiled, links to nowhere or HTML.
fn markdown(doc: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fenced = false;
    for line in doc {
        let line: String = line.chars().filter(|&c| is_harmless(c)).collect();
        let line = line.replace('\t', "    ");
        let text = line.trim();
        if let Some(info) = text.strip_prefix("```") {
            let opens = !fenced;
            fenced = opens;
            lines.push(if opens && info.trim().is_empty() {
                "```text".to_owned()
            } else {
                text.to_owned()
            });
        } else if fenced {
            lines.push(line.trim_end().to_owned());
        } else {
            // Four blanks would begin a code block.
            let depth = (line.len() - line.trim_start().len()).min(3);
            lines.push(format!("{}{}", " ".repeat(depth), escape(text)));
        }
    }
    if fenced {
        lines.push("```".to_owned());
    }
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

/// No control characters, and none of those that turn the direction of the text, which rustc refuses.
fn is_harmless(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b'..='\x1f' | '\x7f' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escape(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let balanced = line.matches('`').count().is_multiple_of(2);
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
    let url = word.trim_end();
    if url.starts_with("http://") || url.starts_with("https://") {
        text.push_str(&format!("<{}>", url.replace(['<', '>'], "")));
        text.push_str(&word[url.len()..]);
        return;
    }
    for c in word.chars() {
        if matches!(c, '[' | ']' | '<' | '>') {
            text.push('\\');
        }
        text.push(c);
    }
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
    fn code_becomes_text() {
        assert_eq!(outer("a\n        b()"), "/// a\n///    b()\n");
        assert_eq!(
            outer("```\nx < y [z]\n```"),
            "/// ```text\n/// x < y [z]\n/// ```\n"
        );
        assert_eq!(outer("```cpp\nx"), "/// ```cpp\n/// x\n/// ```\n");
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
    }

    #[test]
    fn dangerous_characters_go() {
        assert_eq!(outer("a\u{202e}b\u{7}c"), "/// abc\n");
    }
}
