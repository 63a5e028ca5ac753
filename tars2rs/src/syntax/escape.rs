//! Escapes in string literals.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Span;

/// Decodes what is between the quotes of a string at `span`. `None` after an error.
pub(crate) fn decode(raw: &str, span: Span, diagnostics: &mut Diagnostics) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut ok = true;
    let mut warned = false;
    let mut rest = raw;
    while let Some(backslash) = rest.find('\\') {
        decoded.extend_from_slice(&rest.as_bytes()[..backslash]);
        rest = &rest[backslash..];
        let (escape, length) = read(rest);
        let start = span.start + 1 + (raw.len() - rest.len()) as u32;
        let at = Span {
            start,
            end: start + length as u32,
            ..span
        };
        match escape {
            // One message of a kind for a string: the rest of it is likely the same slip.
            Escape::Byte(0) => {
                if std::mem::replace(&mut ok, false) {
                    diagnostics.push(
                        Diagnostic::new(Code::InvalidString, "a string cannot hold a NUL")
                            .at(at, "this is a NUL"),
                    );
                }
            }
            Escape::Byte(byte) => decoded.push(byte),
            Escape::Unknown => {
                decoded.extend_from_slice(&rest.as_bytes()[..length]);
                let shown = &rest[..length];
                if !std::mem::replace(&mut warned, true) {
                    diagnostics.push(
                        Diagnostic::new(Code::UnknownEscape, format!("unknown escape `{shown}`"))
                            .at(at, "both characters are kept")
                            .help(format!("write `\\{shown}` if that is meant")),
                    );
                }
            }
        }
        rest = &rest[length..];
    }
    decoded.extend_from_slice(rest.as_bytes());
    ok.then_some(decoded)
}

enum Escape {
    Byte(u8),
    Unknown,
}

/// The escape that a text begins with, and its length; the text begins with a backslash.
fn read(text: &str) -> (Escape, usize) {
    let Some(letter) = text[1..].chars().next() else {
        return (Escape::Unknown, 1);
    };
    let byte = match letter {
        '\\' | '"' | '\'' | '?' => letter as u8,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        'f' => 0x0c,
        'a' => 0x07,
        'b' => 0x08,
        'x' => return numeric(text, 2, 2, 16),
        '0'..='3' => return numeric(text, 1, 3, 8),
        '4'..='7' => return numeric(text, 1, 2, 8),
        _ => return (Escape::Unknown, 1 + letter.len_utf8()),
    };
    (Escape::Byte(byte), 2)
}

fn numeric(text: &str, prefix: usize, max_digits: usize, radix: u32) -> (Escape, usize) {
    let digits = text[prefix..]
        .chars()
        .take(max_digits)
        .take_while(|c| c.is_digit(radix))
        .count();
    let end = prefix + digits;
    match u8::from_str_radix(&text[prefix..end], radix) {
        Ok(byte) => (Escape::Byte(byte), end),
        Err(_) => (Escape::Unknown, end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn decoded(raw: &str) -> (Option<Vec<u8>>, Vec<(Code, u32)>) {
        let mut diagnostics = Diagnostics::default();
        let span = Span {
            file: FileId(0),
            start: 0,
            end: raw.len() as u32 + 2,
        };
        let value = decode(raw, span, &mut diagnostics);
        let complaints = diagnostics.sorted().into_iter();
        (
            value,
            complaints
                .map(|d| (d.code, d.span().unwrap().start))
                .collect(),
        )
    }

    #[test]
    fn every_escape() {
        let (value, complaints) = decoded(r#"\\\"\'\n\r\t\v\f\a\b\?"#);
        assert_eq!(value.unwrap(), b"\\\"'\n\r\t\x0b\x0c\x07\x08?");
        assert_eq!(complaints, []);
        assert_eq!(
            decoded(r"\101\1024\1\x41\x4a1\52\528").0.unwrap(),
            b"AB4\x01AJ1**8"
        );
        assert_eq!(decoded("世\\n界").0.unwrap(), "世\n界".as_bytes());
    }

    #[test]
    fn nul_is_an_error() {
        for raw in [r"a\0b", r"a\x00b", r"a\000"] {
            assert_eq!(decoded(raw), (None, vec![(Code::InvalidString, 2)]));
        }
    }

    #[test]
    fn an_unknown_escape_keeps_both_characters() {
        assert_eq!(decoded(r"a\d").0.unwrap(), br"a\d");
        assert_eq!(decoded(r"\xg\é").0.unwrap(), r"\xg\é".as_bytes());
        assert_eq!(decoded(r"a\d").1, [(Code::UnknownEscape, 2)]);
    }
}
