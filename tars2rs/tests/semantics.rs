//! What legal IDL means, and what each rule complains about.

mod common;

use std::fs;
use std::path::Path;

use common::{codes, field, model, render, resolve_bytes, resolve_file};
use tars2rs::diagnostic::short;
use tars2rs::model::{EnumId, Type, Value};
use tars2rs::resolve::{Input, Output, resolve};

fn only(text: &str) -> String {
    let output = resolve_bytes(text.as_bytes());
    assert_eq!(output.diagnostics.len(), 1, "{}", render(&output));
    render(&output)
}

fn default(member: &str) -> Option<Value> {
    let text = format!(
        "module M {{ enum E {{ A, B = 5, C }}; enum F {{ D }}; const int N = 7; const string T = \"t\"; \
         struct S {{ 0 optional {member}; }}; }};"
    );
    model(&text).structs[0].fields[0].default.clone()
}

#[test]
fn defaults_are_converted() {
    let enumerator = |index| {
        Some(Value::Enumerator {
            of: EnumId(0),
            index,
        })
    };
    assert_eq!(default("int a = 0x10"), Some(Value::Int(16)));
    assert_eq!(default("int a = -010"), Some(Value::Int(-8)));
    assert_eq!(default("long a = N"), Some(Value::Int(7)));
    assert_eq!(default("double a = N"), Some(Value::Float(7.0)));
    assert_eq!(
        default("float a = 0.1"),
        Some(Value::Float(f64::from(0.1f32)))
    );
    assert_eq!(default("int a = B"), Some(Value::Int(5)));
    assert_eq!(default("int a = F::D"), Some(Value::Int(0)));
    assert_eq!(default("string a = T"), Some(Value::String(b"t".to_vec())));
    assert_eq!(default("bool a = true"), Some(Value::Bool(true)));
    for form in ["B", "E::B", "M::B", "M::E::B", "::M::B", "5"] {
        assert_eq!(default(&format!("E a = {form}")), enumerator(1), "{form}");
    }
    assert_eq!(default("E a = 6"), enumerator(2));
    assert_eq!(default("E a"), None);
}

#[test]
fn a_number_that_is_no_enumerator_is_a_lint() {
    let text = "module M { enum E { A }; struct S { 0 optional E e = 9; }; };";
    assert_eq!(codes(text), ["not-an-enumerator"]);
    assert_eq!(
        model(text).structs[0].fields[0].default,
        Some(Value::Int(9))
    );
}

#[test]
fn constants_in_any_order() {
    let model = model(
        "module A { const int X = B::Y; enum E { P = Q, R }; const E Z = R; const int W = Z; };
         module B { const short Y = A::R; };
         module A { const int Q = 41; };",
    );
    let values: Vec<_> = model
        .consts
        .iter()
        .map(|of| (of.name.as_str(), &of.value))
        .collect();
    let enumerator = Value::Enumerator {
        of: EnumId(0),
        index: 1,
    };
    assert_eq!(
        values,
        [
            ("X", &Value::Int(42)),
            ("Z", &enumerator),
            ("W", &Value::Int(42)),
            ("Y", &Value::Int(42)),
            ("Q", &Value::Int(41)),
        ]
    );
    assert_eq!(
        model.enums[0]
            .items
            .iter()
            .map(|item| item.value)
            .collect::<Vec<_>>(),
        [41, 42]
    );
    assert_eq!(model.modules.len(), 2);
    assert_eq!(model.modules[0].items.len(), 5);
}

#[test]
fn a_long_chain_of_constants_needs_no_stack() {
    let mut text = String::from("module M {\n");
    for index in 0..20_000 {
        text += &format!("const int A{index} = A{};\n", index + 1);
    }
    text += "const int A20000 = 3; };";
    assert_eq!(model(&text).consts[0].value, Value::Int(3));
}

#[test]
fn value_errors() {
    assert_eq!(
        codes("module M { const int A = B; const int B = A; };"),
        ["cyclic-value"]
    );
    assert_eq!(codes("module M { enum E { A = A }; };"), ["cyclic-value"]);
    assert_eq!(
        codes("module M { enum E { A = B, B }; };"),
        ["cyclic-value"]
    );
    assert_eq!(
        codes("module M { const byte A = 300; const int B = A; };"),
        ["out-of-range"]
    );
    assert_eq!(
        codes("module M { const int A = 300; const byte B = A; };"),
        ["out-of-range"]
    );
    assert_eq!(
        codes("module M { const float A = 1e39; const float B = 1e-60; };"),
        ["out-of-range"; 2]
    );
    assert_eq!(
        codes("module M { const double A = 1e-999; };"),
        ["invalid-number"]
    );
    assert_eq!(
        codes("module M { const long A = 9223372036854775808; };"),
        ["out-of-range"]
    );
    assert_eq!(
        codes(&format!(
            "module M {{ const long A = {}; }};",
            "9".repeat(10_000)
        )),
        ["out-of-range"]
    );
    assert_eq!(
        codes(r#"module M { const string A = "\xff"; };"#),
        ["invalid-string"]
    );
    assert_eq!(
        codes(r#"module M { const string A = "\d"; };"#),
        ["unknown-escape"]
    );
    assert_eq!(
        codes("module M { enum E { A }; enum F { B }; const E X = B; };"),
        ["wrong-enum"]
    );
    assert_eq!(
        codes("module M { enum E { A }; enum F { A }; const int X = A; };"),
        ["ambiguous-value"]
    );
    assert_eq!(
        codes("module M { enum E { A }; enum F { A }; const int X = F::A; };"),
        [""; 0]
    );
}

#[test]
fn a_near_scope_hides_a_far_one() {
    let model = model(
        "module M { enum E { A = 1 }; const int X = A; };
         module N { enum E { A = 2, B = A }; enum F { C = A }; const int X = A; };
         module O { enum E { A = 1 }; const int A = 3; struct S { 0 optional E e = E::A; 1 optional int i = A; }; };",
    );
    assert_eq!(model.consts[0].value, Value::Int(1));
    assert_eq!(model.consts[1].value, Value::Int(2));
    assert_eq!(model.enums[1].items[1].value, 2);
    assert_eq!(field(&model, "i").default, Some(Value::Int(3)));
}

#[test]
fn arrays() {
    let model = model(
        "module M { const int N = 3; enum E { FOUR = 4 };
         struct S { 0 require int a[N]; 1 require byte b[FOUR]; 2 require string:16 c; 3 require vector<int>:4 d;
                    4 require string e:5; 5 require byte *f; 6 require string g[1048575]; };
         interface I { string:8 f(int a[2], out vector<byte>:9 b); }; };",
    );
    let ty = |name| &field(&model, name).ty;
    let ints = |max| Type::Vector {
        item: Box::new(Type::Int),
        max: Some(max),
    };
    assert_eq!(*ty("a"), ints(3));
    assert_eq!(*ty("b"), Type::Bytes { max: Some(4) });
    assert_eq!(*ty("c"), Type::String { max: Some(16) });
    assert_eq!(*ty("d"), ints(4));
    assert_eq!(*ty("e"), Type::String { max: Some(5) });
    assert_eq!(*ty("f"), Type::Bytes { max: None });
    let method = &model.interfaces[0].methods[0];
    assert_eq!(method.result, Some(Type::String { max: Some(8) }));
    assert_eq!(method.params[1].ty, Type::Bytes { max: Some(9) });
}

#[test]
fn array_errors() {
    for member in [
        "int a[0]",
        "int a[1048576]",
        "int a[1.5]",
        "int a[\"x\"]",
        "string:4 a[3]",
        "string:4 a:3",
        "vector<string:4> a",
        "map<string, vector<int>:2> a",
        "byte *a[3]",
        "int a:3",
    ] {
        let found = codes(&format!(
            "module M {{ struct S {{ 0 require {member}; }}; }};"
        ));
        assert!(
            found == ["invalid-array"] || found == ["type-mismatch"],
            "{member}: {found:?}"
        );
    }
}

#[test]
fn cycles_are_boxed_where_they_can_be() {
    let model = model(
        "module M { struct A { 0 require B b; 1 optional C c; }; struct B { 0 optional A a; 1 optional C c; };
         struct C { 0 optional vector<C> v; 1 optional map<int, A> m; 2 optional C self; }; };",
    );
    let boxed: Vec<_> = model
        .structs
        .iter()
        .flat_map(|of| {
            of.fields
                .iter()
                .filter(|f| f.closes_cycle)
                .map(move |f| format!("{}.{}", of.name, f.name))
        })
        .collect();
    assert_eq!(boxed, ["B.a", "C.self"]);
}

#[test]
fn infinite_structs_print_their_cycle() {
    let text =
        "module M { struct A { 0 require B b; }; struct B { 0 optional B o; 1 require C c; };
                struct C { 0 require A a; 1 require D d; }; struct D { 0 require D d; }; };";
    assert_eq!(codes(text), ["infinite-struct"; 2]);
    let rendered = render(&resolve_bytes(text.as_bytes()));
    assert!(
        rendered.contains("the cycle is A.b -> B.c -> C.a -> A"),
        "{rendered}"
    );
    assert!(rendered.contains("the cycle is D.d -> D"), "{rendered}");
}

#[test]
fn keys() {
    let model = model(
        "module M { struct S { 5 require int a; 1 require int b; }; }; module N { key[M::S, a, b]; };",
    );
    let names: Vec<_> = model.structs[0]
        .key
        .iter()
        .map(|&index| &model.structs[0].fields[index].name)
        .collect();
    assert_eq!(names, ["a", "b"]);
    let text = "module M { struct S { 0 require int abc; }; key[S, abd]; key[S, abc]; };";
    assert_eq!(codes(text), ["invalid-key"; 2]);
}

#[test]
fn tolerated_with_a_warning() {
    let body =
        "struct S { 0 require Int a; 1 require Map<STRING, Vector<char>> b; 2 require boolean c; }";
    assert_eq!(
        codes(&format!("module M {{ {body} }};")),
        [
            "builtin-case",
            "builtin-case",
            "builtin-case",
            "builtin-case",
            "foreign-spelling",
            "foreign-spelling",
            "missing-semicolon"
        ]
    );
    assert_eq!(
        codes("module M { enum E { A };; } /* } */"),
        ["extra-semicolon", "missing-semicolon"]
    );
    assert_eq!(
        codes("module M { interface M { void f(int f); }; };"),
        ["interface-named-like-module", "parameter-named-like-method"]
    );
    assert_eq!(
        codes("module M { struct Int { }; struct S { 0 require Int a; }; };"),
        [""; 0]
    );
}

#[test]
fn keywords_may_name_methods() {
    let model =
        model("module M { interface I { void struct(); int void(int a); vector<int> map(); }; };");
    let names: Vec<_> = model.interfaces[0]
        .methods
        .iter()
        .map(|method| method.name.as_str())
        .collect();
    assert_eq!(names, ["struct", "void", "map"]);
}

#[test]
fn doc_comments_reach_the_model() {
    let model = model(
        "// the module
         module M {
            /** a struct
             *  of two lines */
            struct S {
                0 require int a; // after
                // above
                1 require int b; // not this
                2 require int c;
            };
            enum E { A, // first
                     B  ///< second
            };
            /* what f does */
            interface I { void f(); /* inline */ };
         };",
    );
    assert_eq!(model.modules[0].doc, ["the module"]);
    assert_eq!(model.structs[0].doc, ["a struct", " of two lines"]);
    assert_eq!(field(&model, "a").doc, ["after"]);
    assert_eq!(field(&model, "b").doc, ["above"]);
    assert_eq!(field(&model, "c").doc, [""; 0]);
    assert_eq!(model.enums[0].items[0].doc, ["first"]);
    assert_eq!(model.enums[0].items[1].doc, ["second"]);
    assert_eq!(model.interfaces[0].doc, ["what f does"]);
    assert_eq!(model.interfaces[0].methods[0].doc, ["inline"]);
}

#[test]
fn suggestions() {
    let other = "module Other { struct Thing { }; const int LIMIT = 1; };";
    let rendered = |member: &str| {
        only(&format!(
            "{other} module M {{ struct Order {{ }}; const int SIZE = 1; struct S {{ 0 require {member}; }}; }};"
        ))
    };
    assert!(rendered("Thing a").contains("did you mean `Other::Thing`?"));
    assert!(rendered("Oder a").contains("did you mean `Order`?"));
    assert!(rendered("strng a").contains("did you mean `string`?"));
    assert!(rendered("Othr::Thing a").contains("did you mean `Other::Thing`?"));
    assert!(rendered("Other::Thin a").contains("did you mean `Other::Thing`?"));
    assert!(rendered("int a = LIMIT").contains("did you mean `Other::LIMIT`?"));
    assert!(rendered("int a = SIZ").contains("did you mean `SIZE`?"));
}

#[test]
fn every_syntax_error_is_reported_and_no_false_ones() {
    let text = "module M {
        struct A { 0 require int a 1 require int b; x; 2 optional B b };
        struct { 0 require int a; };
        enum B { X Y };
        interface I { int f(; void g(B b, C c); };
        struct D { 0 require Nope n; 1 require A a; };
    };";
    assert_eq!(
        codes(text),
        [
            "syntax-error", // `;` after a
            "syntax-error", // x
            "syntax-error", // `;` after b
            "syntax-error", // struct without name
            "syntax-error", // enum
            "syntax-error", // f
            "unknown-type", // C, but not B, which is somewhere in the faulty enum
            "unknown-type", // Nope
        ]
    );
}

#[test]
fn errors_of_one_file_do_not_hide_those_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name)
    };
    let files = [
        write("a.tars", "module A { struct Half { 0 require int a };"),
        write(
            "b.tars",
            "module B { struct S { 0 require A::Half h; 1 require int a = \"\"; 2 require Gone g; }; };",
        ),
        dir.path().join("missing.tars"),
    ];
    let output = resolve(&Input {
        files: &files[..2],
        base_dir: dir.path(),
        include_dirs: &[],
    });
    let short: String = output
        .diagnostics
        .iter()
        .map(|d| short::render(d, &output.sources))
        .collect();
    let short = short.replace(&format!("{}/", dir.path().display()), "");
    insta::assert_snapshot!(short, @r#"
        a.tars:1:10: error[unbalanced-brace]: this `{` is never closed
        b.tars:1:62: error[type-mismatch]: a whole number is needed here, but this is a string
        b.tars:1:76: error[unknown-type]: there is no type `Gone` in module `B`
        "#);
    let output = resolve(&Input {
        files: &files,
        base_dir: dir.path(),
        include_dirs: &[],
    });
    let [missing] = &output.unreadable[..] else {
        panic!("{:?}", output.unreadable)
    };
    assert!(missing.diagnostic.message.contains("missing.tars"));
    assert!(output.model.is_none());
}

fn include_fixture(dir: &Path) -> Output {
    for (name, text) in [
        (
            "main.tars",
            "#include \"x/one.tars\"\nmodule M { struct S { 0 require One::T t; }; };",
        ),
        (
            "x/one.tars",
            "#include \"two.tars\"\n#include \"../main.tars\"\nmodule One { struct T { 0 require Two::U u; }; };",
        ),
        (
            "lib/two.tars",
            "#include \"base.tars\"\nmodule Two { struct U { 0 require Base::V v; }; };",
        ),
        ("conf/base.tars", "module Base { struct V { }; };"),
    ] {
        fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
        fs::write(dir.join(name), text).unwrap();
    }
    resolve_include_fixture(dir)
}

fn resolve_include_fixture(dir: &Path) -> Output {
    resolve(&Input {
        files: &[dir.join("main.tars")],
        base_dir: &dir.join("conf"),
        include_dirs: &[dir.join("lib")],
    })
}

#[test]
fn includes_are_found_in_three_places() {
    let dir = tempfile::tempdir().unwrap();
    let output = include_fixture(dir.path());
    let modules = output
        .model
        .as_ref()
        .unwrap()
        .modules
        .iter()
        .map(|module| module.name.as_str());
    assert_eq!(modules.collect::<Vec<_>>(), ["M", "One", "Two", "Base"]);
    let roots = output.sources.files().iter().map(|file| file.is_root());
    assert_eq!(roots.collect::<Vec<_>>(), [true, false, false, false]);
    let written = output
        .sources
        .includes()
        .iter()
        .map(|include| include.written.as_str());
    assert_eq!(
        written.collect::<Vec<_>>(),
        ["x/one.tars", "two.tars", "../main.tars", "base.tars"]
    );
    assert!(output.sources.files()[1].path().ends_with("x/one.tars"));
}

#[test]
fn a_missing_include_names_every_place() {
    let dir = tempfile::tempdir().unwrap();
    include_fixture(dir.path());
    fs::remove_file(dir.path().join("lib/two.tars")).unwrap();
    let output = resolve_include_fixture(dir.path());
    let rendered = render(&output).replace(&format!("{}/", dir.path().display()), "");
    insta::assert_snapshot!(rendered, @r#"
        error[missing-include]: cannot find `two.tars`
         --> x/one.tars:1:10
          |
        1 | #include "two.tars"
          |          ^^^^^^^^^^
          |
          = note: there is no `x/two.tars`
          = note: there is no `conf/two.tars`
          = note: there is no `lib/two.tars`
          = help: includes are looked for beside the including file, beside the config, then in `includeDirs`
        "#);
}

#[test]
fn a_comment_in_another_encoding_is_a_warning_only() {
    let output = resolve_bytes(b"// \xc4\xe3\xba\xc3\nmodule M { };");
    assert_eq!(output.diagnostics.len(), 1, "{}", render(&output));
    assert_eq!(output.diagnostics[0].code.name(), "not-utf8");
    assert_eq!(output.model.unwrap().modules[0].doc, [""; 0]);
    let output = resolve_bytes(b"module M { const string A = \"\xc4\xe3\"; };");
    assert_eq!(
        output
            .diagnostics
            .iter()
            .map(|d| d.code.name())
            .collect::<Vec<_>>(),
        ["invalid-string", "not-utf8"]
    );
}

#[test]
fn a_file_alone_resolves() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tars");
    fs::write(&path, "").unwrap();
    assert!(resolve_file(&path, &[]).model.unwrap().modules.is_empty());
}

#[test]
fn messages_are_limited_but_errors_stay() {
    let warnings = "struct A { } ".repeat(1000);
    let text = format!("module M {{ {warnings} }};");
    let output = resolve_bytes(text.as_bytes());
    assert!(output.model.is_none());
    let (last, shown) = output.diagnostics.split_last().unwrap();
    assert_eq!(last.code.name(), "too-many-messages");
    assert!(shown.iter().all(|diagnostic| diagnostic.is_error()));
}
