//! The faults that tars2cpp or tars2go accept and that have no file among the fixtures, by their names in the lists of
//! them. The other faults of these lists are in `fixtures.rs`.

mod common;

use common::{codes, expect_golden, golden, render, resolve_bytes};

/// Name, text and what is found.
const FAULTS: &[(&str, &str, &[&str])] = &[
    (
        "003_eof_in_string",
        "module M { const string A = \"abc",
        &["unterminated"],
    ),
    (
        "026_tars_prefix",
        "module tarsM { struct tarsS { 0 require int tarsA; }; };",
        &[],
    ),
    ("068_empty_struct", "module M { struct S { }; };", &[]),
    (
        "162_duplicate_const",
        "module M { const int A = 1; const int A = 2; };",
        &["duplicate-const"],
    ),
    (
        "165_enum_interface_same_name",
        "module M { enum A { X }; interface A { void f(); }; };",
        &["duplicate-type"],
    ),
    (
        "166_interface_module_same_name",
        "module M { interface M { void f(); }; };",
        &["interface-named-like-module"],
    ),
    (
        "168_duplicate_method",
        "module M { interface I { void f(); int f(int a); }; };",
        &["duplicate-method"],
    ),
    (
        "171_param_named_like_method",
        "module M { interface I { void f(int f); }; };",
        &["parameter-named-like-method"],
    ),
    (
        "174_self_member",
        "module M { struct S { 0 require S s; }; };",
        &["infinite-struct"],
    ),
    (
        "177_key_undefined_member",
        "module M { struct S { 0 require int a; }; key[S, b]; };",
        &["invalid-key"],
    ),
    (
        "180_key_twice",
        "module M { struct S { 0 require int a; }; key[S, a]; key[S, a]; };",
        &["invalid-key"],
    ),
    (
        "183_negative_tag",
        "module M { struct S { -1 require int a; }; };",
        &["invalid-tag"],
    ),
    (
        "186_array_size_zero",
        "module M { struct S { 0 require int a[0]; }; };",
        &["invalid-array"],
    ),
    (
        "207_default_enumerator_of_other_enum",
        "module M { enum E { A }; enum F { B }; struct S { 0 optional E e = B; }; };",
        &["wrong-enum"],
    ),
    (
        "210_default_enum_number_not_member",
        "module M { enum E { A }; struct S { 0 optional E e = 5; }; };",
        &["not-an-enumerator"],
    ),
    (
        "213_default_short_range",
        "module M { struct S { 0 optional short a = 40000; }; };",
        &["out-of-range"],
    ),
    (
        "216_default_ubyte_range",
        "module M { struct S { 0 optional unsigned byte a = 256; }; };",
        &["out-of-range"],
    ),
    (
        "219_default_float_range",
        "module M { struct S { 0 optional float a = 1e300; }; };",
        &["out-of-range"],
    ),
];

#[test]
fn each_is_found() {
    for (name, text, expected) in FAULTS {
        assert_eq!(codes(text), *expected, "{name}");
    }
}

#[test]
fn each_is_explained() {
    for (name, text, _) in FAULTS.iter().filter(|(.., expected)| !expected.is_empty()) {
        let output = resolve_bytes(text.as_bytes());
        let dir = output.sources.files()[0].path().parent().unwrap();
        let rendered = render(&output).replace(&format!("{}/", dir.display()), "");
        expect_golden(&golden(&format!("faults/{name}.stderr")), &rendered);
    }
}
