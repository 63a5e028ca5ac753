//! `--depfile`: a rule for make or ninja that says what the output was made of.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::shown;

/// The rule: each output directory by its `mod.rs`, which depends on every file that was read.
pub(super) fn rule(directories: &[PathBuf], inputs: &[PathBuf]) -> String {
    let targets: Vec<String> = directories
        .iter()
        .map(|dir| escape(&shown(&dir.join("mod.rs"))))
        .collect();
    let mut rule = format!("{}:", targets.join(" "));
    for input in inputs {
        let _ = write!(rule, " \\\n  {}", escape(&shown(input)));
    }
    rule.push('\n');
    rule
}

/// As gcc does it. A line end cannot be written at all.
fn escape(path: &Path) -> String {
    let path = path.to_string_lossy();
    let mut escaped = String::new();
    // Backslashes are themselves but for those before a blank or a `#`.
    let mut backslashes = 0;
    for c in path.chars() {
        match c {
            ' ' | '\t' | '#' => escaped.extend(std::iter::repeat_n('\\', backslashes + 1)),
            '$' => escaped.push('$'),
            ':' | '%' => escaped.push('\\'),
            _ => {}
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_make_would_take_for_something_else_is_escaped() {
        let escaped = |path: &str| escape(Path::new(path));
        assert_eq!(escaped("a/b.tars"), "a/b.tars");
        assert_eq!(escaped("my idl/#1.tars"), "my\\ idl/\\#1.tars");
        assert_eq!(escaped("$HOME"), "$$HOME");
        assert_eq!(escaped("50%:x"), "50\\%\\:x");
        assert_eq!(escaped("a\\b"), "a\\b");
        assert_eq!(escaped("a\\ b"), "a\\\\\\ b");
    }

    #[test]
    fn every_input_is_on_its_own_line() {
        let paths = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(
            rule(&paths(&["out", "o 2"]), &paths(&["a.toml", "a.tars"])),
            "out/mod.rs o\\ 2/mod.rs: \\\n  a.toml \\\n  a.tars\n"
        );
    }
}
