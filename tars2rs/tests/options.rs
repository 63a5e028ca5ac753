//! Every option of a config: what is generated with it compiles, is formatted, and does what it is for.

#[path = "common/krate.rs"]
mod krate;

use krate::{Crate, root};

#[test]
#[ignore = "slow; run by .ci/run"]
fn options_compile_and_work() {
    let idl = root().join("tars2rs/tests/generated/options.tars");
    let mut krate = Crate::new("options");
    let everything = "optionalType = 'option'\nstringType = 'bytes::Bytes'\nbytesType = 'Vec<u8>'\n\
                      mapType = 'HashMap'\nunknownFields = true\nserde = true\n";
    let everything_borrowed = format!("{everything}borrowed = true\n");
    let by_path = "[types.\"Opt.All.title\"]\nstringType = 'Arc<str>'\noptionalType = 'option'\n\
                   [types.\"Opt.Small\"]\nunknownFields = true\n\
                   [types.\"Opt.Service.echo\"]\nstringType = 'bytes::Bytes'\n\
                   [types.\"Opt.Service.echo.all\"]\nmapType = 'IndexMap'\n\
                   [[attributes]]\npath = 'Opt.Small'\nderive = ['::std::hash::Hash']\nattributes = ['#[must_use]']\n\
                   [[attributes]]\npath = 'Opt.Small.a'\nattributes = ['#[doc(alias = \"first\")]']\n\
                   [[attributes]]\npath = 'Opt.Color'\nattributes = ['#[doc(alias = \"colour\")]']\n";
    let derives = "serde = true\nborrowed = true\n\
                   [[attributes]]\npath = 'Opt'\nderive = ['Debug', 'Clone', 'Default', '::std::cmp::PartialEq']\n\
                   [[attributes]]\npath = 'Opt.Key'\nderive = ['Eq', 'PartialOrd', 'Ord', '::std::hash::Hash']\n\
                   [[attributes]]\npath = 'Opt.Color'\nderive = ['Eq', 'Ord', 'Hash']\n";
    let cases = [
        ("plain", ""),
        ("derives", derives),
        ("option", "optionalType = 'option'\n"),
        ("bytes_str", "stringType = 'bytes::Bytes'\n"),
        ("arc_str", "stringType = 'Arc<str>'\n"),
        ("inline_str", "stringType = 'InlineStr'\n"),
        ("vec", "bytesType = 'Vec<u8>'\n"),
        ("hash_map", "mapType = 'HashMap'\n"),
        ("index_map", "mapType = 'IndexMap'\n"),
        ("vec_map", "mapType = 'VecMap'\n"),
        ("unknown", "unknownFields = true\n"),
        ("serde", "serde = true\n"),
        ("everything", everything),
        ("borrowed", "borrowed = true\n"),
        ("everything_borrowed", &everything_borrowed),
        (
            "everything_inline",
            "optionalType = 'option'\nstringType = 'InlineStr'\nmapType = 'VecMap'\nserde = true\nborrowed = true\n",
        ),
        ("by_path", by_path),
        (
            "external",
            "externPath = { \"Opt\" = \"crate::cplain::app::my_server::obj::classes::opt\" }\n",
        ),
        (
            "external_types",
            "externPath = { \"Opt.Small\" = \"crate::cplain::app::my_server::obj::classes::opt::Small\", \
             \"Opt.Key\" = \"crate::cplain::app::my_server::obj::classes::opt::Key\", \
             \"Opt.Color\" = \"crate::cplain::app::my_server::obj::classes::opt::Color\" }\n",
        ),
    ];
    for (name, options) in cases {
        krate.add(name, &idl, &[], options);
    }
    let gbk = root().join("tars2rs/tests/generated/gbk.tars");
    krate.add(
        "gbk",
        &gbk,
        &[],
        "borrowed = true\nserde = true\n[types.\"Gbk.Old.name\"]\nstringType = 'bytes::Bytes'\n",
    );
    let shared = krate.dir().join("src/cexternal/App/MyServer/Obj");
    assert!(
        !shared.join("classes").exists(),
        "nothing is left to generate"
    );
    krate.add_test("options");
    krate.check();
    krate.test();
}

#[test]
fn paths_must_lead_somewhere() {
    let dir = tempfile::tempdir().unwrap();
    let idl = "module M { struct S { 0 require int a; 1 optional string s; }; enum E { A };\n\
               interface I { int f(string x); }; };\n";
    std::fs::write(dir.path().join("m.tars"), idl).unwrap();
    let config = dir.path().join("a.toml");
    let options = r##"
externPath = { "N" = "::n", "M.I" = "::i" }
[types."M.T"]
mapType = "HashMap"
[types."M.S.a"]
optionalType = "option"
[types."M.S.s"]
mapType = "HashMap"
unknownFields = true
[types."M.E"]
stringType = "String"
[types."M.I.f.y"]
stringType = "String"
[[attributes]]
path = "M.S.a"
derive = ["Hash"]
[[attributes]]
path = "M.I"
attributes = ["#[x]"]
"##;
    let required =
        "appName = 'A'\nserverName = 'B'\nobjName = 'c'\ntarsFiles = ['m.tars']\ndstPath = 'out'\n";
    std::fs::write(&config, format!("{required}{options}")).unwrap();
    let error = tars2rs::Builder::new().config(&config).run().unwrap_err();
    let messages: Vec<String> = error
        .to_string()
        .lines()
        .filter_map(|line| {
            line.strip_prefix("error[invalid-config]: ")
                .map(str::to_owned)
        })
        .collect();
    insta::assert_debug_snapshot!(messages, @r#"
    [
        "the IDL has no module `N`",
        "`externPath` is for modules, structs and enums, and `M.I` is none",
        "in the IDL, `M` has no `T`",
        "`optionalType` is for optional members, and `M.S.a` is none",
        "`unknownFields` is for structs, and `M.S.s` is none",
        "`M.E` is an enum, which has no types to choose",
        "in the IDL, `M.I.f` has no `y`",
        "`derive` is for types, and `M.S.a` is a member",
        "`attributes` is for modules, structs, enums and members, and `M.I` is none",
    ]
    "#);
    assert!(!dir.path().join("out").exists());
}
