//! Whatever the input, the front end ends soon, in diagnostics or a model, never in a panic.

mod common;

use std::fs;
use std::path::Path;

use common::{FIXTURES, manifest, render, resolve_bytes};
use proptest::prelude::*;

const MEGABYTE: usize = 1 << 20;

/// Resolves and renders. Anything worse than linear would not end within the patience of whoever runs the tests.
fn refused(bytes: &[u8]) -> String {
    let output = resolve_bytes(bytes);
    assert!(output.model.is_none());
    let rendered = render(&output);
    assert!(
        rendered.len() < 500_000,
        "{} bytes of messages",
        rendered.len()
    );
    rendered
}

#[test]
fn deep_nesting() {
    let nested = "vector<".repeat(1_000_000);
    for text in [
        nested.clone(),
        format!("module M {{ struct S {{ 0 require {nested}"),
        format!(
            "module M {{ struct S {{ 0 require {nested}int{} a; }}; }};",
            ">".repeat(1_000_000)
        ),
        "{".repeat(MEGABYTE),
        "module M { struct S ".repeat(MEGABYTE / 20),
    ] {
        assert!(refused(text.as_bytes()).contains("nesting-too-deep"));
    }
}

#[test]
fn one_thing_a_million_times() {
    for piece in [
        "}",
        "(",
        "[",
        "<",
        ">",
        "\"",
        "/*",
        "*/",
        "//",
        "\\",
        ";",
        ",",
        "=",
        "#",
        "a",
        "a ",
        "0",
        ".",
        "-",
        "@",
        "é",
        "\u{feff}",
        "{}",
        "[]",
        "::",
        "module ",
        "module M",
        "module M {",
        "struct",
        "#include \"",
        "0 require ",
    ] {
        let output = resolve_bytes(piece.repeat(MEGABYTE / 4 / piece.len()).as_bytes());
        assert!(output.model.is_none() || piece == "//", "{piece}");
        assert!(render(&output).len() < 500_000, "{piece}");
    }
}

#[test]
fn one_thing_a_million_times_inside() {
    for (before, piece, after) in [
        ("module M { struct S {", "x; ", "}; };"),
        ("module M { struct S {", "{} ", "}; };"),
        ("module M {", "struct {", "};"),
        ("module M {", "struct {}", "};"),
        ("module M {", "const int A = ", "};"),
        ("module M { interface I {", "void f(int a ", "); }; };"),
        ("module M { enum E {", "A B ", "}; };"),
        ("module M { const int A = ", "9", "; };"),
        ("module M { const double A = 0.", "9", "e999; };"),
        ("module M { const string A = \"", "\\0", "\"; };"),
        ("module M { struct S { 0 require int ", "a", "; }; "),
        ("module M { const int A = ", "A::", "A; };"),
        ("garbage", "\n", "x;"),
        ("module M { garbage", "\n", "x; };"),
        ("module M { struct S { garbage", "\n", "x; }; };"),
        ("/* all on one line */ module M {", "struct S {}; ", "};"),
    ] {
        refused(format!("{before}{}{after}", piece.repeat(MEGABYTE / piece.len())).as_bytes());
    }
}

/// Diagnostics are the only thing whose size no text bounds.
#[test]
fn a_million_faults_are_few_diagnostics() {
    for (before, piece, after) in [
        ("module M { struct S {", "0 require Nope a=Nope; ", "}; };"),
        ("module M { struct S {", "0 require int a=1e9; ", "}; };"),
        ("module M { struct S {", "999 require int a; ", "}; };"),
        ("module M { struct S {", "x; ", "}; };"),
        ("module M { struct S {", "x;\n", "}; };"),
        ("module M { struct S {", ";", "}; };"),
        ("module M { enum E {", "A,", "}; };"),
        ("module M { enum E {", "A=Z,", "}; };"),
        ("module M { interface I {", "void f(int a, int a);", "}; };"),
        (
            "module M { interface I { void f(",
            "Nope a,",
            "int b); }; };",
        ),
        ("module M { const string A = \"", "\\q", "\"; };"),
        ("module M { const string A = \"", "\\0", "\"; };"),
        ("module M {", "struct S {}", "};"),
        ("module M {", "struct S {};\n", "};"),
        ("module M {", "key[S, a];", "};"),
        ("", "#include \"a\"\n", ""),
        ("", "@", ""),
    ] {
        let text = format!(
            "{before}{}{after}",
            piece.repeat(MEGABYTE / 4 / piece.len())
        );
        let output = resolve_bytes(text.as_bytes());
        assert!(!output.diagnostics.is_empty(), "{piece}");
        assert!(output.diagnostics.len() <= 501, "{piece}");
    }
}

#[test]
fn many_errors_in_one_line() {
    let text = |count: usize, piece: &str| piece.repeat(MEGABYTE / count / piece.len());
    let members = text(4, "0 require Nope a = Nope;");
    let output = resolve_bytes(format!("module M {{ struct S {{ {members} }}; }};").as_bytes());
    assert!(output.diagnostics.len() > 100);
    for diagnostic in &output.diagnostics {
        let rendered = tars2rs::diagnostic::text::render(diagnostic, &output.sources, true);
        assert!(rendered.len() < 4_000, "{rendered}");
    }
}

#[test]
fn random_bytes() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let bytes: Vec<u8> = (0..MEGABYTE).map(|_| random()).collect();
    refused(&bytes);
    let no_nul: Vec<u8> = bytes.iter().map(|&byte| byte.max(1)).collect();
    refused(&no_nul);
    let ascii: Vec<u8> = bytes.iter().map(|byte| byte % 95 + 32).collect();
    refused(&ascii);
    let signs: Vec<u8> = bytes
        .iter()
        .map(|byte| b"{}<>;:,=()[] \n0a\"/*"[*byte as usize % 19])
        .collect();
    refused(&signs);
}

#[test]
fn everything_unclosed() {
    for text in [
        "module",
        "module M",
        "module M {",
        "module M { struct",
        "module M { struct S {",
        "module M { struct S { 0",
        "module M { struct S { 0 require map<int",
        "module M { enum E { A =",
        "module M { interface I { void f(",
        "module M { key[S,",
        "module M { const string A = \"",
        "/*",
        "\"",
        "#include",
        "#include \"",
        "#include \"a",
        "module M { struct S { 0 require int a[",
        "module M { struct S { 0 require string:",
    ] {
        refused(text.as_bytes());
    }
}

#[test]
fn long_chains_of_structs() {
    let mut text = String::from("module M {\n");
    for index in 0..20_000 {
        text += &format!(
            "struct S{index} {{ 0 require S{} a; }};\n",
            (index + 1) % 20_000
        );
    }
    assert!(refused((text + "};").as_bytes()).contains("infinite-struct"));
}

fn positive_texts() -> Vec<String> {
    let dir = Path::new(FIXTURES).join("positive");
    manifest(&dir)
        .iter()
        .map(|row| fs::read_to_string(dir.join(&row[0])).unwrap())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Legal files with pieces cut out, doubled, or overwritten.
    #[test]
    fn damaged_files(
        file in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40usize, 0..4usize, any::<u8>()), 1..5),
    ) {
        let texts = positive_texts();
        let mut bytes = file.get(&texts).clone().into_bytes();
        for (at, length, action, byte) in cuts {
            if bytes.is_empty() {
                break;
            }
            let start = at.index(bytes.len());
            let end = (start + length).min(bytes.len());
            match action {
                0 => { bytes.drain(start..end); }
                1 => { let piece = bytes[start..end].to_vec(); bytes.splice(start..start, piece); }
                2 => { bytes[start] = byte; }
                _ => { bytes.truncate(end); }
            }
        }
        let output = resolve_bytes(&bytes);
        let refused = !output.unreadable.is_empty() || output.diagnostics.iter().any(|d| d.is_error());
        prop_assert_eq!(output.model.is_none(), refused);
        render(&output);
    }
}
