//! The language, row by row: the table "What tars2rs accepts" of the reference `idl.md` in its order, then its lists of
//! faulty IDL. Where other tests say more, the comment of a row names them; numbers are files of `tests/fixtures/idl`.

mod common;

use std::fs;
use std::path::Path;

use common::{FIXTURES, codes, field, golden, model, render, resolve_bytes, resolve_files};
use tars2rs::diagnostic::{short, text};
use tars2rs::model::{EnumId, StructId, Type, Value};
use tars2rs::resolve::defaults_not_text;
use tars2rs::syntax::KEYWORDS;

const CLEAN: [&str; 0] = [];

/// The messages about a member, of which there is at least one.
fn about_member(member: &str) -> String {
    let output =
        resolve_bytes(format!("module M {{ struct S {{ 0 optional {member}; }}; }};").as_bytes());
    assert!(!output.diagnostics.is_empty(), "{member}");
    render(&output)
}

// ---- What tars2rs accepts

/// order of declarations. Also `semantics.rs`: `constants_in_any_order`; `fixtures.rs`: 046, 047, 049, 101, 104, 106.
#[test]
fn declarations_come_in_any_order_and_includes_in_a_cycle_or_diamond() {
    let dir = tempfile::tempdir().unwrap();
    let output = resolve_files(
        dir.path(),
        &[
            (
                "main.tars",
                "#include \"left.tars\"\n#include \"right.tars\"\nmodule M { struct S { 0 require L::A a; 1 require T t; }; struct T { }; };",
            ),
            (
                "left.tars",
                "#include \"base.tars\"\nmodule L { struct A { 0 require Base::E e = B; }; };",
            ),
            (
                "right.tars",
                "#include \"base.tars\"\n#include \"main.tars\"\nmodule R { struct A { 0 require M::T t; }; };",
            ),
            (
                "base.tars",
                "module Base { enum E { A, B = N }; const int N = 7; };",
            ),
        ],
    );
    let model = output.model.as_ref().unwrap();
    assert_eq!(output.diagnostics, []);
    assert_eq!(output.sources.files().len(), 4, "each is read once");
    assert_eq!(model.enums[0].items[1].value, 7);
}

/// include path. Also `semantics.rs`: `includes_are_found_in_three_places`, `a_missing_include_names_every_place`.
#[test]
fn an_include_is_looked_for_beside_the_file_then_the_config_then_in_each_directory() {
    let dir = tempfile::tempdir().unwrap();
    let main = ("idl/main.tars", "#include \"a.tars\"");
    let places = ["idl/a.tars", "conf/a.tars", "lib1/a.tars", "lib2/a.tars"];
    let names = ["Beside", "Config", "First", "Second"];
    let texts = names.map(|name| format!("module {name} {{ }};"));
    let mut files = vec![main];
    files.extend(places.into_iter().zip(texts.iter().map(String::as_str)));
    for (place, name) in places.iter().zip(names) {
        let output = resolve_files(dir.path(), &files);
        assert_eq!(output.model.unwrap().modules[0].name, name);
        fs::remove_file(dir.path().join(place)).unwrap();
        files.remove(1);
    }
    let rendered = render(&resolve_files(dir.path(), &files));
    for place in places {
        assert!(rendered.contains(place), "{rendered}");
    }
}

/// modules. Also `fixtures.rs`: 023, 025, 061, 067; `messages.rs`: nested_module.
#[test]
fn modules_are_many_and_reopened_but_not_nested() {
    let model = model(
        "module M { struct A { 0 require C c; }; }; module N { }; module M { struct C { }; };",
    );
    assert_eq!(model.modules.len(), 2);
    assert_eq!(model.modules[0].items.len(), 2);
    let output = resolve_bytes(b"module M { module N { }; };");
    assert_eq!(output.diagnostics[0].code.name(), "nested-module");
    assert_eq!(output.diagnostics[0].help.len(), 1);
}

/// `;`. Also `fixtures.rs`: 028, 034, 035.
#[test]
fn a_semicolon_may_be_missing_or_doubled_after_a_brace_only() {
    for (before, after) in [
        ("module M {", ""),
        ("module M { struct S {", "};"),
        ("module M { enum E {", "};"),
        ("module M { interface I {", "};"),
    ] {
        let with = |end: &str| codes(&format!("{before} }}{end} {after}"));
        assert_eq!(with(""), ["missing-semicolon"], "{before}");
        assert_eq!(with(";"), CLEAN, "{before}");
        assert_eq!(with(";;"), ["extra-semicolon"], "{before}");
    }
    for (before, after) in [
        ("module M { struct S { 0 require int a", "}; };"),
        ("module M { interface I { void f()", "}; };"),
        ("module M { const int A = 1", "};"),
        ("module M { struct S { 0 require int a; }; key[S, a]", "};"),
    ] {
        let with = |end: &str| codes(&format!("{before}{end} {after}"));
        assert_eq!(with(""), ["syntax-error"], "{before}");
        assert_eq!(with(";"), CLEAN, "{before}");
    }
}

/// `Map`, `Vector`, `Int` .. Also `messages.rs`: spellings.
#[test]
fn builtin_types_in_other_letter_case_are_a_lint() {
    for (written, ty) in [
        ("Bool", Type::Bool),
        ("BYTE", Type::Byte),
        ("Short", Type::Short),
        ("INT", Type::Int),
        ("Long", Type::Long),
        ("Float", Type::Float),
        ("DOUBLE", Type::Double),
        ("String", Type::String { max: None }),
        ("unsigned Int", Type::UInt),
        ("Unsigned short", Type::UShort),
        ("Vector<byte>", Type::Bytes { max: None }),
    ] {
        let text = format!("module M {{ struct S {{ 0 require {written} a; }}; }};");
        assert_eq!(codes(&text), ["builtin-case"], "{written}");
        assert_eq!(field(&model(&text), "a").ty, ty, "{written}");
    }
    let text = "module M { struct Int { }; struct Map { }; struct S { 0 require Int a; 1 require Map b; }; };";
    assert_eq!(codes(text), CLEAN);
    assert_eq!(field(&model(text), "a").ty, Type::Struct(StructId(0)));
}

/// `A::B`, `::A::B`. Also `semantics.rs`: `suggestions`; `fixtures.rs`: 028, 029, 040, 133, 134, 136.
#[test]
fn names_are_of_their_own_module_or_qualified() {
    let other = "module Other { struct T { }; };";
    for ty in ["T", "M::T", "::M::T"] {
        let text = format!(
            "{other} module M {{ struct T {{ }}; }}; module M {{ struct S {{ 0 require {ty} a; }}; }};"
        );
        assert_eq!(
            field(&model(&text), "a").ty,
            Type::Struct(StructId(1)),
            "{ty}"
        );
    }
    let unqualified = |modules: &str| {
        let text = format!("{modules} module M {{ struct S {{ 0 require T a; }}; }};");
        let output = resolve_bytes(text.as_bytes());
        assert_eq!(output.diagnostics[0].code.name(), "unknown-type");
        output.diagnostics[0].help.concat()
    };
    assert_eq!(unqualified(other), "did you mean `Other::T`?");
    assert_eq!(unqualified(""), "");
}

/// const reference. Also `semantics.rs`: `constants_in_any_order`, `arrays`; `fixtures.rs`: 050, 052, 053.
#[test]
fn a_const_can_be_used_wherever_a_value_is() {
    let model = model(
        "module M { const int N = 3; const int COPY = N; enum E { A = N }; struct S { 0 optional int a = N; 1 require int b[N]; }; };
         module O { const int FAR = M::N; const int ROOTED = ::M::N; };",
    );
    let consts: Vec<_> = model.consts.iter().map(|of| &of.value).collect();
    assert_eq!(consts, [&Value::Int(3); 4]);
    assert_eq!(model.enums[0].items[0].value, 3);
    assert_eq!(field(&model, "a").default, Some(Value::Int(3)));
    let item = Box::new(Type::Int);
    assert_eq!(field(&model, "b").ty, Type::Vector { item, max: Some(3) });
}

/// enumerator as value, for an enum. Also `semantics.rs`: `defaults_are_converted`; `messages.rs`: wrong_enum.
#[test]
fn an_enum_takes_its_own_enumerators_only() {
    let with = |value: &str| {
        format!(
            "module M {{ enum E {{ A, B }}; enum F {{ B, C }}; struct S {{ 0 optional E e = {value}; }}; }};"
        )
    };
    let own = Value::Enumerator {
        of: EnumId(0),
        index: 1,
    };
    for value in ["B", "E::B", "M::B", "M::E::B"] {
        let model = model(&with(value));
        assert_eq!(field(&model, "e").default.as_ref(), Some(&own), "{value}");
    }
    for value in ["C", "F::B", "M::F::B"] {
        assert_eq!(codes(&with(value)), ["wrong-enum"], "{value}");
    }
}

/// enumerator as value, for a number. Also `messages.rs`: ambiguous_value; `fixtures.rs`: 208, 209.
#[test]
fn a_number_takes_the_only_enumerator_of_a_name_and_a_const_first() {
    let with = |declarations: &str, member: &str| {
        format!(
            "module O {{ enum Far {{ FAR = 9 }}; }}; \
             module M {{ {declarations} struct S {{ 0 optional {member}; }}; }};"
        )
    };
    let default = |text: &str| field(&model(text), "a").default.clone();
    let enums = "enum E { A = 1, B }; enum F { B = 5 };";
    for (member, value) in [("int a = A", 1), ("long a = FAR", 9), ("byte a = F::B", 5)] {
        assert_eq!(
            default(&with(enums, member)),
            Some(Value::Int(value)),
            "{member}"
        );
    }
    assert_eq!(
        default(&with(enums, "double a = A")),
        Some(Value::Float(1.0))
    );

    let ambiguous = with(enums, "int a = B");
    assert_eq!(codes(&ambiguous), ["ambiguous-value"]);
    let rendered = render(&resolve_bytes(ambiguous.as_bytes()));
    assert!(
        rendered.contains("of `M::E`") && rendered.contains("of `M::F`"),
        "{rendered}"
    );
    let with_const = format!("{enums} const int B = 7;");
    assert_eq!(
        default(&with(&with_const, "int a = B")),
        Some(Value::Int(7))
    );

    for member in ["string a = A", "bool a = A"] {
        assert_eq!(codes(&with(enums, member)), ["type-mismatch"], "{member}");
    }
}

/// direct or mutual recursion by value. Also `semantics.rs`: `cycles_are_boxed_where_they_can_be`,
/// `infinite_structs_print_their_cycle`; that the boxes compile: `cycles_are_boxed` of `compile.rs`.
#[test]
fn a_struct_may_contain_itself_unless_all_members_of_the_cycle_are_required() {
    for (member, boxed) in [
        ("optional A a", true),
        ("require vector<A> a", false),
        ("require map<int, A> a", false),
    ] {
        for text in [
            format!("module M {{ struct A {{ 0 {member}; }}; }};"),
            format!("module M {{ struct A {{ 0 require B b; }}; struct B {{ 0 {member}; }}; }};"),
        ] {
            let model = model(&text);
            assert_eq!(field(&model, "a").closes_cycle, boxed, "{text}");
        }
    }
    let text = "module M { struct A { 0 require B b; }; struct B { 0 require A a; }; };";
    assert_eq!(codes(text), ["infinite-struct"]);
    let rendered = render(&resolve_bytes(text.as_bytes()));
    assert!(
        rendered.contains("the cycle is A.b -> B.a -> A"),
        "{rendered}"
    );
}

/// empty struct .. Also `fixtures.rs`: 061, 062, 095, 097, 098.
#[test]
fn everything_may_be_empty() {
    for text in [
        "",
        "module M { };",
        "module M { struct S { }; };",
        "module M { interface I { }; };",
        "module M { enum E { }; };",
        "module M { enum E { A, , B }; };",
        "module M { enum E { A, B, }; };",
        "module M { enum E { , }; };",
    ] {
        assert_eq!(codes(text), CLEAN, "{text}");
    }
}

/// keywords. Also `fixtures.rs`: 145 to 155; `token.rs`: `keywords_are_those_of_the_grammar`.
#[test]
fn keywords_name_methods_and_nothing_else() {
    for keyword in KEYWORDS {
        let method = format!("module M {{ interface I {{ void {keyword}(int a); }}; }};");
        assert_eq!(codes(&method), CLEAN, "{keyword}");
        for text in [
            format!("module {keyword} {{ }};"),
            format!("module M {{ struct {keyword} {{ }}; }};"),
            format!("module M {{ enum {keyword} {{ }}; }};"),
            format!("module M {{ interface {keyword} {{ }}; }};"),
            format!("module M {{ const int {keyword} = 1; }};"),
            format!("module M {{ enum E {{ {keyword} }}; }};"),
            format!("module M {{ struct S {{ 0 require int {keyword}; }}; }};"),
            format!("module M {{ interface I {{ void f(int {keyword}); }}; }};"),
        ] {
            assert_eq!(codes(&text), ["keyword-as-name"], "{text}");
        }
    }
}

/// names that begin with `tars`. Also `fixtures.rs`: 134; `faults.rs`: 026.
#[test]
fn names_may_begin_with_tars() {
    let text = "module tarsM { struct tarsS { 0 require int tarsA; }; interface tarsI { void tars_f(int tarsB); }; };";
    assert_eq!(codes(text), CLEAN);
}

/// `vector<byte>`, `T a[N]` .. Also `semantics.rs`: `arrays`, `array_errors`; `fixtures.rs`: 118 to 122, 187 to 193.
/// That N holds when a value is sent and received: `generated.rs` of `tests`, `maxima_hold_both_ways`.
#[test]
fn maxima_have_many_forms_and_one_dimension() {
    let ints = |max| Type::Vector {
        item: Box::new(Type::Int),
        max,
    };
    for (member, ty) in [
        ("vector<byte> a", Type::Bytes { max: None }),
        ("byte *a", Type::Bytes { max: None }),
        ("byte a[2]", Type::Bytes { max: Some(2) }),
        ("int a[2]", ints(Some(2))),
        ("vector<int>:2 a", ints(Some(2))),
        ("vector<int> a:2", ints(Some(2))),
        ("string:2 a", Type::String { max: Some(2) }),
        ("string a:2", Type::String { max: Some(2) }),
        ("int a[1]", ints(Some(1))),
        ("int a[1048575]", ints(Some(1_048_575))),
    ] {
        let model = model(&format!(
            "module M {{ struct S {{ 0 require {member}; }}; }};"
        ));
        assert_eq!(field(&model, "a").ty, ty, "{member}");
    }
    for member in [
        "int a[0]",
        "int a[1048576]",
        "int a:2",
        "int *a",
        "string:2 a:2",
        "vector<int>:2 a[2]",
    ] {
        assert!(
            about_member(member).starts_with("error[invalid-array]"),
            "{member}"
        );
    }
    assert!(about_member("int a[2][2]").contains("arrays have one dimension"));
}

/// `routekey`, `out`. Also `fixtures.rs`: 088 to 092, 109, 110.
#[test]
fn a_parameter_is_routekey_or_out_but_not_both() {
    let with = |params: &str| format!("module M {{ interface I {{ void f({params}); }}; }};");
    let model = model(&with("routekey string a, out int b, int c"));
    let params = &model.interfaces[0].methods[0].params;
    let flags: Vec<_> = params.iter().map(|of| (of.routekey, of.out)).collect();
    assert_eq!(flags, [(true, false), (false, true), (false, false)]);
    for params in ["routekey out int a", "out routekey int a"] {
        let rendered = render(&resolve_bytes(with(params).as_bytes()));
        assert!(
            rendered.contains("cannot be both `out` and `routekey`"),
            "{rendered}"
        );
    }
}

/// `boolean`, `char`. Also `messages.rs`: spellings.
#[test]
fn spellings_of_tars2php_are_a_lint() {
    for (written, ty) in [
        ("boolean", Type::Bool),
        ("Boolean", Type::Bool),
        ("char", Type::Byte),
        ("unsigned char", Type::UByte),
    ] {
        let text = format!("module M {{ struct S {{ 0 require {written} a; }}; }};");
        assert_eq!(codes(&text), ["foreign-spelling"], "{written}");
        assert_eq!(field(&model(&text), "a").ty, ty, "{written}");
    }
    let text = "module M { struct char { }; struct S { 0 require char a; }; };";
    assert_eq!(codes(text), CLEAN);
}

/// comments, between tokens. Also `fixtures.rs`: 070, 071, 073.
#[test]
fn comments_may_be_between_any_tokens() {
    let text = "module M { const int A = 4 ; enum E { X = 1 , Y } ; struct S { 0 require vector < int > : 4 a ; \
                1 require int b [ A ] ; 2 optional map < string , :: M :: E > m ; 3 optional unsigned int c = A ; } ; \
                key [ S , c ] ; interface I { void f ( out byte * p , routekey string : 3 s ) ; } ; } ;";
    assert_eq!(codes(text), CLEAN);
    for comment in ["/**/", "/* ; } \" */", "// ; } \"\n", "/// x\r\n"] {
        let commented = format!("{comment}{}{comment}", text.replace(' ', comment));
        assert_eq!(codes(&commented), CLEAN, "{comment:?}");
        let model = model(&commented);
        assert_eq!(field(&model, "c").default, Some(Value::Int(4)));
        assert_eq!(model.structs[0].key, [3]);
    }
}

/// comments that document. Also `semantics.rs`: `doc_comments_reach_the_model`; the tests of `syntax/doc.rs`.
#[test]
fn comments_above_or_behind_an_item_are_its_documentation() {
    for comment in [
        "/// text\n",
        "/** text */\n",
        "/*\n * text\n */\n",
        "// text\n",
    ] {
        let text = format!(
            "{comment}module M {{\n{comment}struct S {{\n{comment}0 require int a;\n}};\n{comment}enum E {{\n{comment}A\n}};\n\
             {comment}const int C = 1;\n{comment}interface I {{\n{comment}void f();\n}};\n}};"
        );
        let model = model(&text);
        let interface = &model.interfaces[0];
        for doc in [
            &model.modules[0].doc,
            &model.structs[0].doc,
            &model.structs[0].fields[0].doc,
            &model.enums[0].doc,
            &model.enums[0].items[0].doc,
            &model.consts[0].doc,
            &interface.doc,
            &interface.methods[0].doc,
        ] {
            assert_eq!(*doc, ["text"], "{text}");
        }
    }
    let behind = model("module M { struct S {\n0 require int a; // text\n1 require int b;\n}; };");
    assert_eq!(field(&behind, "a").doc, ["text"]);
    assert_eq!(field(&behind, "b").doc, CLEAN);
}

/// byte-order mark, CRLF, last line. Also `fixtures.rs`: 074, 076, 077.
#[test]
fn a_byte_order_mark_crlf_and_an_unended_last_line_make_no_difference() {
    let text = "// text\nmodule M\n{\n    struct S { 0 optional string a = \"x\"; };\n};";
    for text in [
        format!("\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        format!("{text}\n"),
        format!("{text} // end"),
    ] {
        assert_eq!(codes(&text), CLEAN, "{text:?}");
        let model = model(&text);
        assert_eq!(model.modules[0].doc, ["text"]);
        assert_eq!(
            field(&model, "a").default,
            Some(Value::String(b"x".to_vec()))
        );
    }
}

/// escapes in strings. Also the tests of `syntax/escape.rs`; `messages.rs`: escapes; `fixtures.rs`: 002, 011, 065.
#[test]
fn escapes_are_those_of_c_without_nul() {
    let default = |raw: &str| {
        let text = format!("module M {{ struct S {{ 0 optional string a = \"{raw}\"; }}; }};");
        let output = resolve_bytes(text.as_bytes());
        let value = output.model.map(|model| field(&model, "a").default.clone());
        let codes: Vec<_> = output.diagnostics.iter().map(|d| d.code.name()).collect();
        (value.flatten(), codes.concat())
    };
    let text = |bytes: &[u8]| Some(Value::String(bytes.to_vec()));
    let (value, complaints) = default(r#"\\\"\'\n\r\t\v\f\a\b\?\101\x41"#);
    assert_eq!(value, text(b"\\\"'\n\r\t\x0b\x0c\x07\x08?AA"));
    assert_eq!(complaints, "");
    assert_eq!(default(r"\d"), (text(br"\d"), "unknown-escape".to_owned()));
    for nul in [r"\0", r"\x00"] {
        assert_eq!(default(nul), (None, "invalid-string".to_owned()), "{nul}");
    }
    assert_eq!(
        default(r"\xe4\xb8\x96"),
        (text("世".as_bytes()), String::new())
    );
    // Not UTF-8: good for a member that is bytes in the generated code, and for nothing else.
    let half = default(r"\xe4\xb8");
    assert_eq!(half, (text(b"\xe4\xb8"), String::new()));
    let model = model("module M { struct S { 0 optional string a = \"\\xe4\\xb8\"; }; };");
    assert_eq!(defaults_not_text(&model, |_, _| true), []);
    let [error] = &defaults_not_text(&model, |_, _| false)[..] else {
        panic!("one error");
    };
    assert_eq!(error.code.name(), "invalid-string");
    assert_eq!(
        codes("module M { const string A = \"\\xe4\\xb8\"; };"),
        ["invalid-string"]
    );
}

/// numbers, their forms. Also `fixtures.rs`: 010, 013, 014, 094, 115, 116.
#[test]
fn numbers_are_decimal_hexadecimal_or_octal() {
    for (written, value) in [
        ("16", 16),
        ("0x1f", 31),
        ("0X1F", 31),
        ("017", 15),
        ("-0x10", -16),
        ("+5", 5),
        ("0", 0),
    ] {
        let model = model(&format!("module M {{ const int A = {written}; }};"));
        assert_eq!(model.consts[0].value, Value::Int(value), "{written}");
    }
    for (written, value) in [
        ("1.5", 1.5),
        (".5", 0.5),
        ("2.", 2.0),
        ("1e3", 1000.0),
        ("-1.5E-1f", -0.15),
    ] {
        let model = model(&format!("module M {{ const double A = {written}; }};"));
        assert_eq!(model.consts[0].value, Value::Float(value), "{written}");
    }
    for written in ["089", "0x", "1abc", "1e999"] {
        let text = format!("module M {{ const double A = {written}; }};");
        assert_eq!(codes(&text), ["invalid-number"], "{written}");
    }
}

/// numbers, their ranges. Also `fixtures.rs`: 115, 184, 185, 212 to 218, 227, 232, 233.
#[test]
fn numbers_are_checked_against_their_type() {
    for (ty, min, max) in [
        ("byte", i8::MIN.into(), i8::MAX.into()),
        ("short", i16::MIN.into(), i16::MAX.into()),
        ("int", i32::MIN.into(), i32::MAX.into()),
        ("long", i64::MIN.into(), i64::MAX.into()),
        ("unsigned byte", 0, u8::MAX.into()),
        ("unsigned short", 0, u16::MAX.into()),
        ("unsigned int", 0, i128::from(u32::MAX)),
    ] {
        for (value, expected) in [
            (min - 1, &["out-of-range"][..]),
            (min, &[]),
            (max, &[]),
            (max + 1, &["out-of-range"]),
        ] {
            let constant = format!("module M {{ const {ty} A = {value}; }};");
            let default = format!("module M {{ struct S {{ 0 optional {ty} a = {value}; }}; }};");
            assert_eq!(codes(&constant), expected, "{constant}");
            assert_eq!(codes(&default), expected, "{default}");
        }
    }
    for (value, expected) in [("3.4028235e38", &[][..]), ("3.5e38", &["out-of-range"])] {
        assert_eq!(
            codes(&format!("module M {{ const float A = {value}; }};")),
            expected
        );
    }
    for (tag, expected) in [
        (-1, &["invalid-tag"][..]),
        (0, &[]),
        (255, &[]),
        (256, &["invalid-tag"]),
    ] {
        let text = format!("module M {{ struct S {{ {tag} require int a; }}; }};");
        assert_eq!(codes(&text), expected, "{tag}");
    }
}

/// errors. What they look like: the golden files of `fixtures.rs`, `faults.rs` and `messages.rs`; every format of them:
/// `formats.rs`.
#[test]
fn all_errors_of_a_run_are_shown_with_their_places_and_help() {
    let dir = tempfile::tempdir().unwrap();
    let output = resolve_files(
        dir.path(),
        &[
            (
                "a.tars",
                "#include \"b.tars\"\nmodule A { struct S { 0 require Thing t; 0 require int u }; };",
            ),
            (
                "b.tars",
                "module B\n{\n    struct Thing { 0 require int a; 0 require string b; };\n};",
            ),
        ],
    );
    let short: String = output
        .diagnostics
        .iter()
        .map(|d| short::render(d, &output.sources))
        .collect();
    let prefix = format!("{}/", dir.path().display());
    insta::assert_snapshot!(short.replace(&prefix, ""), @r"
    a.tars:2:33: error[unknown-type]: there is no type `Thing` in module `A`
    a.tars:2:57: error[syntax-error]: missing `;` after member `u`
    b.tars:3:37: error[duplicate-tag]: members `a` and `b` both have tag 0
    ");
    let [first, .., last] = &output.diagnostics[..] else {
        panic!("{short}")
    };
    let render = |diagnostic| text::render(diagnostic, &output.sources, false).replace(&prefix, "");
    insta::assert_snapshot!(render(first), @r"
    error[unknown-type]: there is no type `Thing` in module `A`
     --> a.tars:2:33
      |
    2 | module A { struct S { 0 require Thing t; 0 require int u }; };
      |                                 ^^^^^ not found
      |
      = help: did you mean `B::Thing`?
    ");
    insta::assert_snapshot!(render(last), @r"
    error[duplicate-tag]: members `a` and `b` both have tag 0
     --> b.tars:3:37
      |
    3 |     struct Thing { 0 require int a; 0 require string b; };
      |                    -                ^ used again here
      |                    |
      |                    first used here
    ");
}

// ---- Faulty IDL

/// The first line of the golden file of a fault, which `fixtures.rs` or `faults.rs` compares with what is said now.
fn first_line(name: &str) -> String {
    let fixture = Path::new(FIXTURES).join(format!("negative/{name}.stderr"));
    let text = fs::read_to_string(&fixture)
        .or_else(|_| fs::read_to_string(golden(&format!("faults/{name}.stderr"))))
        .unwrap_or_else(|_| panic!("{name} is in neither list of faults"));
    text.lines().next().unwrap_or_default().to_owned()
}

fn expect_code(name: &str, code: &str) {
    let line = first_line(name);
    let severity = if LINTS.contains(&code) {
        "warning"
    } else {
        "error"
    };
    assert!(
        line.starts_with(&format!("{severity}[{code}]: ")),
        "{name}: {line}"
    );
}

/// What of the lists is a matter of style.
const LINTS: &[&str] = &[
    "interface-named-like-module",
    "not-an-enumerator",
    "parameter-named-like-method",
];

#[test]
fn faults_that_tars2cpp_accepts_are_found() {
    for (name, code) in [
        ("001_unterminated_block_comment", "unterminated"),
        ("003_eof_in_string", "unterminated"),
        ("013_bad_octal_digit", "invalid-number"),
        ("017_include_angle", "syntax-error"),
        ("019_include_no_name", "syntax-error"),
        ("059_key_at_top", "outside-module"),
        ("083_param_leading_comma", "syntax-error"),
        ("161_duplicate_interface_reopened", "duplicate-type"),
        ("164_struct_interface_same_name", "duplicate-type"),
        ("165_enum_interface_same_name", "duplicate-type"),
        ("169_duplicate_param", "duplicate-parameter"),
        ("170_duplicate_param_in_out", "duplicate-parameter"),
        ("173_duplicate_member_desc", "duplicate-member"),
        ("179_key_duplicate_member", "invalid-key"),
        ("180_key_twice", "invalid-key"),
        ("185_tag_2_32", "invalid-tag"),
        ("206_default_undefined_scope", "unknown-value"),
        ("207_default_enumerator_of_other_enum", "wrong-enum"),
        ("208_default_enumerator_for_string", "type-mismatch"),
        ("209_default_enumerator_for_bool", "type-mismatch"),
        ("210_default_enum_number_not_member", "not-an-enumerator"),
        ("211_default_float_for_int", "type-mismatch"),
        ("212_default_byte_range", "out-of-range"),
        ("213_default_short_range", "out-of-range"),
        ("214_default_int_range", "out-of-range"),
        ("215_default_ubyte_negative", "out-of-range"),
        ("216_default_ubyte_range", "out-of-range"),
        ("217_default_ushort_range", "out-of-range"),
        ("218_default_uint_range", "out-of-range"),
        ("219_default_float_range", "out-of-range"),
        ("227_const_byte_range", "out-of-range"),
        ("230_enum_float_value", "type-mismatch"),
        ("232_enum_value_range", "out-of-range"),
        ("233_enum_implicit_overflow", "out-of-range"),
    ] {
        expect_code(name, code);
    }
}

/// 026 and 068 are legal: `names_may_begin_with_tars`, `everything_may_be_empty`.
#[test]
fn faults_that_only_tars2go_accepts_are_found() {
    for (name, code) in [
        ("115_enum_semicolons", "syntax-error"),
        ("116_enum_no_comma", "syntax-error"),
        ("137_three_level_name", "unknown-type"),
        ("149_keyword_member_routekey", "keyword-as-name"),
        ("152_keyword_enumerator", "keyword-as-name"),
        ("158_duplicate_struct_reopened", "duplicate-type"),
        ("162_duplicate_const", "duplicate-const"),
        ("163_struct_enum_same_name", "duplicate-type"),
        (
            "166_interface_module_same_name",
            "interface-named-like-module",
        ),
        ("167_duplicate_enumerator", "duplicate-enumerator"),
        ("168_duplicate_method", "duplicate-method"),
        ("171_param_named_like_method", "parameter-named-like-method"),
        ("172_duplicate_member", "duplicate-member"),
        ("174_self_member", "infinite-struct"),
        ("175_mutual_recursion_by_value", "infinite-struct"),
        ("177_key_undefined_member", "invalid-key"),
        ("178_key_of_enum", "invalid-key"),
        ("183_negative_tag", "invalid-tag"),
        ("184_tag_256", "invalid-tag"),
        ("186_array_size_zero", "invalid-array"),
        ("187_array_size_negative", "invalid-array"),
        ("188_array_size_1m", "invalid-array"),
        ("194_too_many_params", "too-many-parameters"),
        ("197_default_int_for_bool", "type-mismatch"),
        ("202_default_for_struct", "no-default-allowed"),
        ("226_const_bool_from_int", "type-mismatch"),
    ] {
        expect_code(name, code);
    }
}
