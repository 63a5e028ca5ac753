//! What is generated from hard but legal IDL files, and from all real ones, must compile without a warning in the
//! editions 2021 and 2024, wherever it is put, and be formatted as rustfmt would.

#[path = "common/include_dirs.rs"]
mod include_dirs;
#[path = "common/krate.rs"]
mod krate;

use std::fs;
use std::path::{Path, PathBuf};

use include_dirs::include_dirs;
use krate::{Crate, root};

#[test]
#[ignore = "slow; run by .ci/run"]
fn fixtures_compile() {
    let mut krate = Crate::new("fixtures");
    let cases = fixtures();
    assert!(cases.len() > 70, "the fixtures are not there");
    for (name, idl) in &cases {
        krate.add(name, idl, &[], "");
    }
    let key_order =
        "module M { struct Pair { 0 require int a; 1 require int b; }; key[Pair, b]; };\n";
    krate.add_text("key_order", key_order, "");
    krate.add(
        "long",
        &root().join("tars2rs/tests/generated/long.tars"),
        &[],
        "",
    );
    krate.add_test("behaviour");
    krate.check();
    krate.test();
}

/// Names that are not what they seem, or become one where they are joined to others.
const ODD_NAMES: &str = "
    module _1a
    {
        enum _1a { _1a, _1A, a1, _, NAME };
        enum _2 { _2, __2 };
        enum _9 {};
        struct _3b { 0 require int _3b; 1 optional _1a _1a; 2 optional string _2 = \"x\"; 3 require vector<self> v; };
        struct _3B { 0 require _3b _3B; 1 optional _2 _2 = _2; 2 optional _1a a1 = a1; };
        struct _3bRef { 0 require string _; };
        struct self { 0 require string self; 1 optional Self Self; };
        struct Self { 0 require string super; };
        struct Self_Ref { 0 require string crate; };
        struct A1 { 0 require string s; };
        struct a1 { 0 require string s; };
        key[_3b, _2, _3b];
        const int _1a = 1;
        const int _9 = 1;
        const string _3b = \"3\";
        interface _4c { _1a _1a(_1a _1a, _2 _2, out _3b _3b); self self(self self, out _2 _9); void _(); };
        interface _4C { a1 a1(a1 a1, A1 A1); };
        interface Classes { int classes(); };
        interface classes { void mod(out int a, out int b); };
        interface mod { void mod(out int a, out int b); };
        interface Mod_ { void mod(out int a, out int b); };
        interface Tars { void tars(_1a::Self s); };
        interface TarsServant { void tars(); };
        interface T { void t(int T); };
        interface Self_ { void self_(out int self, out int self_); };
        interface SelfServant { void Self(); };
        interface Servant { void servant(); };
        interface _ { void _(int _, out int __); };
    };
    module _4c { struct _4c { 0 require _1a::_1a _1a; 1 require _1a::self self; }; };
    module mod { struct mod { 0 require _4c::_4c _4c; }; };
    module _ { struct _ { 0 require mod::mod _; }; enum __ { __ }; };
";

/// Traits whose functions are called where these are not the traits.
const TRAIT_NAMES: &str = "
    module Shapes
    {
        struct From { 0 optional string s = \"x\"; 1 optional Ord o; };
        struct Ord { 0 require int a; 1 require float b; };
        struct Into { 0 require map<Ord, From> m; };
        struct Clone { 0 require Ord o; };
        key[Clone, o];
        key[Ord, b, a];
    };
    module Calls
    {
        interface Clone { Shapes::Clone clone(Shapes::From from); };
        interface From { void from(routekey string s); };
        interface Default { void default(); };
        interface Drop { int drop(out int a); };
        interface self { void f(); };
        interface SelfA { void f(); };
    };
";

#[test]
#[ignore = "slow; run by .ci/run"]
fn odd_names_compile() {
    let mut krate = Crate::new("odd_names");
    krate.add_text("plain", ODD_NAMES, "");
    krate.add_text(
        "borrowed",
        ODD_NAMES,
        "borrowed = true\nserde = true\nunknownFields = true\n",
    );
    krate.add_text("traits", TRAIT_NAMES, "");
    krate.add_text(
        "traits_arc",
        TRAIT_NAMES,
        "stringType = 'Arc<str>'\noptionalType = 'option'\n",
    );
    // Each level is called like the one above it.
    let idl = "module classes { struct S { 0 require int classes; }; interface Demo { int demo(S s); }; };";
    let idl = krate.write_idl("same", idl);
    krate.add_servant(["Demo", "Demo", "Demo"], "same", &idl, &[], "");
    krate.add_servant(["mod", "self", "classes"], "words", &idl, &[], "");
    krate.check();
}

/// Types nested to the limit. Not much beyond it rustc gives up.
#[test]
#[ignore = "slow; run by .ci/run"]
fn the_deepest_types_compile() {
    let nested = |head: &str| format!("{}int{}", head.repeat(40), ">".repeat(40));
    let (lists, maps) = (nested("vector<"), nested("map<string, "));
    let keys = format!("{}int{}", "map<".repeat(40), ", int>".repeat(40));
    let idl = format!(
        "module M {{ struct S {{ 0 require {maps} a; 1 optional {maps} b; 2 optional {lists} c; 3 optional {keys} d; }};\n\
         interface I {{ {maps} f({lists} a, {maps} b, {keys} c, out {lists} x, out {maps} y, out {keys} z); }}; }};\n"
    );
    let mut krate = Crate::new("deepest");
    for (name, options) in [
        ("plain", ""),
        (
            "option",
            "optionalType = 'option'\nserde = true\nunknownFields = true\n",
        ),
        ("hash", "mapType = 'HashMap'\n"),
        ("index", "mapType = 'IndexMap'\n"),
        ("vec", "mapType = 'VecMap'\nborrowed = true\n"),
    ] {
        krate.add_text(name, &idl, options);
    }
    krate.check();
}

/// Comments of all that markdown could take for code.
#[test]
#[ignore = "slow; run by .ci/run"]
fn no_comment_is_code() {
    const PIECES: &[&str] = &[
        "```",
        "````",
        "~~~",
        "~~~~",
        "`",
        "- ",
        "* ",
        "1. ",
        "12)",
        "> ",
        "    ",
        " ",
        "rust",
        "let x = y;",
        "\\",
        "[x](y)",
        "<b>",
        "http://example.com/x ",
        "(https://example.com) ",
        "见http://example.com/。",
        "\n",
        "\n",
        "\n",
        "\n\n",
    ];
    let mut random = 7_usize;
    let mut piece = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        PIECES[(random >> 33) % PIECES.len()]
    };
    let mut idl = "module M\n{\n".to_owned();
    for index in 0..1000 {
        let mut comment = || -> String { (0..40).map(|_| piece()).collect() };
        idl += &format!(
            "/*\n{}\n*/\nstruct S{index}\n{{\n/*\n{}\n*/\n0 require int a;\n}};\n",
            comment(),
            comment(),
        );
    }
    let comment = "/*\n- ~~~\nlet x = y;\n\n-      let x = y;\n*/\n";
    idl += &format!("{comment}interface I\n{{\n{comment}void f();\n}};\n}};\n");
    let mut krate = Crate::new("comments");
    krate.add_text("comments", &format!("{comment}{idl}"), "");
    krate.check();
    assert_eq!(krate.doctests(), 0);
}

#[test]
#[ignore = "slow, and needs ../shared; run by .ci/run"]
fn corpus_compiles() {
    let corpus = root().join("../shared/data/idl/corpus");
    let manifest = fs::read_to_string(corpus.join("manifest.tsv")).unwrap();
    let mut krate = Crate::new("corpus");
    let mut count = 0;
    for row in manifest.lines().skip(1) {
        let mut columns = row.split('\t');
        let file = columns.next().unwrap();
        if columns.next_back().unwrap().starts_with("accept") {
            count += 1;
            krate.add(
                &format!("{count:03}"),
                &corpus.join(file),
                &include_dirs(&corpus, file),
                "",
            );
        }
    }
    assert!(count > 100, "only {count} files");
    krate.check();
}

/// Name and main file of each fixture.
fn fixtures() -> Vec<(String, PathBuf)> {
    let corpus = [
        root().join("tests/fixtures/idl/positive"),
        root().join("../shared/data/idl/positive"),
    ];
    let corpus = corpus.iter().find(|dir| dir.exists()).unwrap();
    let entries = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let case = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let main = if path.is_dir() {
            path.join("main.tars")
        } else {
            path
        };
        (main.extension()? == "tars" && name.starts_with(|c: char| c.is_ascii_digit()))
            .then_some((name, main))
    };
    let mut cases: Vec<_> = entries.filter_map(case).collect();
    cases.sort();
    cases
}

#[test]
#[ignore = "slow; run by .ci/run"]
fn code_of_another_version_does_not_compile() {
    let mut krate = Crate::new("version");
    krate.add_text("old", "module M { struct S { 0 require int a; }; };\n", "");
    let file = Path::new("src/cold/App/MyServer/Obj/classes/m.rs");
    let file = krate.dir().join(file);
    let text = fs::read_to_string(&file).unwrap();
    let current = concat!("check_version(\"", env!("CARGO_PKG_VERSION_MAJOR"), ".");
    assert!(text.contains(current), "{text}");
    fs::write(&file, text.replace(current, "check_version(\"77.")).unwrap();
    let error = krate.error();
    assert!(error.contains("generate it again with tars2rs"), "{error}");
}
