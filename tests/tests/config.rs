//! Config files of Tars: `fixtures/config` has those that a real `tarsnode` wrote for three servers, in full.

use std::{fs, time::Duration};

use tars_rpc::config::{ApplicationConfig, ConfigError, Document, Protocol};

const FILES: [&str; 3] = [
    "PHPTest.PHPWebsocketServer.config.conf",
    "PHPTest.CppServer.config.conf",
    "PHPTest.PhpDummy.config.conf",
];

fn path(file: &str) -> String {
    format!("{}/fixtures/config/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn text(file: &str) -> String {
    fs::read_to_string(path(file)).unwrap()
}

/// The typed form of a text between `<tars><application>` and their ends.
fn application(inside: &str) -> Result<ApplicationConfig, ConfigError> {
    let text = format!("<tars>\n<application>\n{inside}\n</application>\n</tars>\n");
    ApplicationConfig::new(&Document::parse_named("x.conf", text)?)
}

fn server(inside: &str) -> Result<ApplicationConfig, ConfigError> {
    application(&format!("<server>\napp=A\nserver=S\n{inside}\n</server>"))
}

/// Each fault as `LINE:COLUMN MESSAGE`.
fn faults(error: &ConfigError) -> Vec<String> {
    let faults = error.faults().iter();
    faults
        .map(|fault| format!("{}:{} {}", fault.line(), fault.column(), fault.message()))
        .collect()
}

fn parse_faults(text: &str) -> Vec<String> {
    faults(&Document::parse(text).unwrap_err())
}

#[test]
fn files_of_tarsnode_come_back_byte_for_byte() {
    for file in FILES {
        let document = Document::read(path(file)).unwrap();
        assert_eq!(document.to_string(), text(file), "{file}");
        assert_eq!(document.name(), path(file));
    }
}

#[test]
fn files_of_tarsnode_mean() {
    for file in FILES {
        let config = ApplicationConfig::read(path(file)).unwrap();
        assert_eq!(config.unknown(), [], "{file}");
        insta::assert_debug_snapshot!(file.trim_end_matches(".config.conf"), config);
    }
}

#[test]
fn values_are_found_by_paths() {
    let document = Document::parse(text("PHPTest.CppServer.config.conf")).unwrap();
    for (path, value) in [
        ("/tars/application<enableset>", Some("n")),
        ("/tars/application/server<server>", Some("CppServer")),
        (
            "/tars/application/server/PHPTest.CppServer.EchoObjAdapter<threads>",
            Some("2"),
        ),
        (
            "/tars/application/server/PHPTest.CppServer.EchoObjAdapter<allow>",
            Some(""),
        ),
        ("/tars/own<key>", Some("value")),
        ("//tars//own/<key>", Some("value")),
        ("/tars/own<none>", None),
        ("/tars/none<key>", None),
        ("tars/own<key>", None),
        ("/tars/own", None),
        ("/tars/own<key", None),
        ("/tars/own<key>x", None),
        ("", None),
        ("<key>", None),
    ] {
        assert_eq!(document.get(path), value, "{path}");
    }
    let server = document.block("/tars/application/server").unwrap();
    let names: Vec<&str> = server.blocks().map(|block| block.name()).collect();
    assert_eq!(
        names,
        [
            "PHPTest.CppServer.objAdapter",
            "PHPTest.CppServer.EchoObjAdapter"
        ]
    );
    assert_eq!((server.line(), server.entries()[1].key()), (5, "app"));
    assert_eq!(document.block("/").unwrap().name(), "");
}

/// What TarsCpp's `TC_Config` makes of it.
#[test]
fn lines_are_read_as_by_tars_cpp() {
    let text = "\u{feff}root=0\r\n \t<a> # comment\r\n# k=1\r\n\tk = a=b \r\n\
                #<b>\r\nk\\=x=y\\\\\\t\\r\\n\\==\r\n alone \r\nempty = \r\n k=c # no comment\r\n\
                <b>\nx=1\n</b>\n<b>\nx=2\ny=3\n</b>\n</a>\n<a>\nk=d\n</a>";
    let document = Document::parse(text).unwrap();
    assert_eq!(document.to_string(), text);
    for (path, value) in [
        ("/<root>", Some("0")),
        // Of equal keys the last one counts.
        ("/a<k>", Some("d")),
        ("/a<alone>", Some("")),
        ("/a<empty>", Some("")),
        // Blocks of one name are one.
        ("/a/b<x>", Some("2")),
        ("/a/b<y>", Some("3")),
    ] {
        assert_eq!(document.get(path), value, "{path}");
    }
    let a = document.block("/a").unwrap();
    assert_eq!(a.get("k=x"), Some("y\\\t\r\n=="));
    let all: Vec<&str> = a.get_all("k").collect();
    assert_eq!(all, ["a=b", "c # no comment", "d"]);
    assert_eq!(document.root().blocks().count(), 1);
    assert_eq!(Document::parse("").unwrap().root().entries(), []);
}

#[test]
fn faults_have_places() {
    for (text, expected) in [
        (
            "<a>\n<b>\n</a>\n",
            vec!["2:1 `<b>` is not closed before `</a>`"],
        ),
        (
            "<a>\n  <b>\n",
            vec!["1:1 `<a>` is never closed", "2:3 `<b>` is never closed"],
        ),
        ("\n</a>", vec!["2:1 `</a>` closes a block that is not open"]),
        (
            "<a>\n</b>\n</a>",
            vec!["2:1 `</b>` closes a block that is not open; the innermost is `<a>`"],
        ),
        (
            "<a> b\n</a>x=1",
            vec![
                "1:5 text after a tag; it belongs on a line of its own",
                "2:5 text after a tag; it belongs on a line of its own",
            ],
        ),
        (
            "<a\n</a>",
            vec![
                "1:1 `>` is missing at the end of a tag",
                "2:1 `</a>` closes a block that is not open",
            ],
        ),
        (
            "<>\n< / >\n",
            vec!["1:1 a block without a name", "2:1 a block without a name"],
        ),
        (
            "<a/>",
            vec![
                "1:1 `<` or `/` in the name of a block; a block is opened by `<a>` and closed by `</a>`",
            ],
        ),
        (" = 1", vec!["1:2 a key is missing before `=`"]),
        (
            "\u{4e00}\u{4e8c} = \u{4e09}\\\u{4e09}",
            vec![
                "1:7 unknown escape `\\\u{4e09}`; `\\\\`, `\\=`, `\\t`, `\\r` and `\\n` are known",
            ],
        ),
        (
            "a\\",
            vec!["1:2 unknown escape `\\`; `\\\\`, `\\=`, `\\t`, `\\r` and `\\n` are known"],
        ),
    ] {
        assert_eq!(parse_faults(text), expected, "{text:?}");
    }
}

#[test]
fn files_are_bounded() {
    let nested = |depth: usize| "<a>\n".repeat(depth) + &"</a>\n".repeat(depth);
    Document::parse(nested(64)).unwrap();
    assert_eq!(
        parse_faults(&nested(65)),
        ["65:1 blocks are nested more than 64 deep"]
    );

    let large = |size: usize| "#".repeat(size);
    Document::parse(large(1 << 20)).unwrap();
    let too_large = ["1:1 the file is larger than 1048576 bytes"];
    assert_eq!(parse_faults(&large((1 << 20) + 1)), too_large);

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), large(1 << 21)).unwrap();
    assert_eq!(faults(&Document::read(file.path()).unwrap_err()), too_large);

    // Of many faults the first ones are shown, of a long line a part.
    let error = Document::parse("=\n".repeat(100)).unwrap_err();
    assert_eq!(error.faults().len(), 20);
    let long = "x".repeat(1000);
    let error = Document::parse(format!("{long}\\y{long}")).unwrap_err();
    assert!(error.to_string().len() < 500, "{error}");
}

#[test]
fn hostile_files_take_linear_time() {
    let size = 1 << 20;
    for text in [
        "<a>\n</a>\n".repeat(size / 9),
        "${".repeat(size / 2),
        format!("k={}", "${".repeat(size / 2 - 1)),
        "a=b\n".repeat(size / 4),
        "\\".repeat(size),
        "<".repeat(size),
        (0..size / 16)
            .map(|i| format!("<{i}>\n</{i}>\n"))
            .collect::<String>()
            .chars()
            .take(size)
            .collect(),
    ] {
        if let Ok(mut document) = Document::parse(text) {
            let _ = document.expand(|_| None);
            let _ = document.set("/a<k>", "1");
            let _ = ApplicationConfig::new(&document);
        }
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let error = Document::read("/nowhere/x.conf").unwrap_err();
    let expected = "cannot read /nowhere/x.conf: No such file or directory (os error 2)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.faults(), []);

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"<tars>\n# \xce\xd2\n</tars>\n").unwrap();
    let error = Document::read(file.path()).unwrap_err();
    assert_eq!(
        faults(&error),
        ["2:3 the byte 0xce is not UTF-8; the file may be in another encoding, such as GBK"]
    );
}

#[test]
fn a_change_touches_its_line_only() {
    let file = text("PHPTest.CppServer.config.conf");
    for (path, value, before, after) in [
        ("/tars/own<key>", "a = b", "key=value", "key=a = b"),
        ("/tars/own<key>", "", "key=value", "key="),
        (
            "/tars/application/server<logsize>",
            "\\\t\u{4e00}",
            "logsize=10M",
            "logsize=\\\\\\t\u{4e00}",
        ),
        (
            "/tars/application/server/PHPTest.CppServer.EchoObjAdapter<allow>",
            "10.0.0.1",
            "        allow\n        endpoint=tcp -h 127.0.0.1 -p 22012",
            "        allow=10.0.0.1\n        endpoint=tcp -h 127.0.0.1 -p 22012",
        ),
        (
            "/tars/own<new>",
            "1",
            "key=value\n",
            "key=value\n    new=1\n",
        ),
        ("/tars/own<new>", "", "key=value\n", "key=value\n    new\n"),
        ("/tars<new>", "1", "<tars>\n", "<tars>\n  new=1\n"),
        (
            "/tars/own/a/b<c>",
            "1",
            "key=value\n",
            "key=value\n    <a>\n      <b>\n        c=1\n      </b>\n    </a>\n",
        ),
        (
            "/other<c>",
            "1",
            "</tars>\n",
            "</tars>\n<other>\n  c=1\n</other>\n",
        ),
    ] {
        let mut document = Document::parse(file.as_str()).unwrap();
        document.set(path, value).unwrap();
        assert_eq!(document.get(path), Some(value));
        assert_eq!(
            document.to_string(),
            file.replacen(before, after, 1),
            "{path}"
        );
        document.set(path, value).unwrap();
        assert_eq!(
            document.to_string(),
            file.replacen(before, after, 1),
            "{path} again"
        );
    }
    let mut document = Document::parse("a=1\r\n# end").unwrap();
    document.set("/<b>", "2").unwrap();
    document.set("/c<d>", "3").unwrap();
    assert_eq!(
        document.to_string(),
        "a=1\r\nb=2\r\n# end\r\n<c>\r\n  d=3\r\n</c>\r\n"
    );
}

#[test]
fn a_change_that_cannot_be_written_changes_nothing() {
    let mut document = Document::parse("<a>\nk=1\n</a>\n").unwrap();
    let before = document.to_string();
    for (path, value) in [
        ("/a<k>", " 1"),
        ("/a<k>", "1 "),
        ("/a<>", "1"),
        ("/a<#k>", "1"),
        ("/a<k\\>", "1"),
        ("/a< k>", "1"),
        ("/a", "1"),
        ("a<k>", "1"),
        ("/a>/b<k>", "1"),
        ("/ b<k>", "1"),
        ("/b\n<k>", "1"),
    ] {
        let error = document.set(path, value).unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
        assert_eq!(document.to_string(), before, "{path}");
    }
}

#[test]
fn macros_are_replaced() {
    let template = Document::parse("# ${no}\n<a>\np=${x}/${y}${x}\nq=$ {x} ${\n</a>\n").unwrap();
    let expanded = template.expand(|name| match name {
        "x" => Some("1\n2".to_owned()),
        "y" => Some("${x}".to_owned()),
        _ => None,
    });
    let expanded = expanded.unwrap().to_string();
    assert_eq!(
        expanded,
        "# ${no}\n<a>\np=1\\n2/${x}1\\n2\nq=$ {x} ${\n</a>\n"
    );

    let error = template.expand(|_| None).unwrap_err();
    assert_eq!(
        faults(&error),
        [
            "3:3 the macro `${x}` has no value",
            "3:8 the macro `${y}` has no value",
            "3:12 the macro `${x}` has no value",
        ]
    );
    // A template is no config of a server.
    let error = server("basepath=${basepath}").unwrap_err();
    assert_eq!(
        faults(&error),
        ["6:10 the macro `${basepath}` has no value"]
    );
}

#[test]
fn defaults_are_those_of_tars_cpp() {
    let config = server("<A.S.oAdapter>\nservant=A.S.o\nendpoint=tcp -h h -p 1\n</A.S.oAdapter>");
    insta::assert_debug_snapshot!("defaults", config.unwrap());
    // An empty value is no value.
    let empty = server(
        "logsize=\nlognum\nnode=\n<A.S.oAdapter>\nservant=A.S.o\nendpoint=tcp -h h -p 1\nthreads=\n</A.S.oAdapter>",
    );
    insta::assert_debug_snapshot!("defaults", empty.unwrap());
    // A client alone.
    let config = application("").unwrap();
    assert_eq!((config.server, config.set), (None, None));
    assert_eq!(config.client.sync_invoke_timeout, Duration::from_secs(3));
}

#[test]
fn wrong_values_say_what_is_expected() {
    for (line, expected) in [
        ("app=", "7:1 x"),
        (
            "logsize=10MB",
            "6:9 `logsize` must be a number of bytes with or without K, M or G, not `10MB`",
        ),
        (
            "lognum=-1",
            "6:8 `lognum` must be a number from 0 to 4294967295, not `-1`",
        ),
        (
            "logLevel=LOUD",
            "6:10 `logLevel` must be NONE, ERROR, WARN, INFO, DEBUG or TARS, not `LOUD`",
        ),
        (
            "deactivating-timeout = 3s",
            "6:24 `deactivating-timeout` must be a number of milliseconds from 1 to 2147483647, not `3s`",
        ),
        (
            "activating-timeout=2147483648",
            "6:20 `activating-timeout` must be a number of milliseconds from 1 to 2147483647, not `2147483648`",
        ),
        (
            "hearttimeout=0",
            "6:14 `hearttimeout` must be a number of seconds from 1 to 2147483647, not `0`",
        ),
        (
            "daemonize=maybe",
            "6:11 `daemonize` must be 0, 1, n or y, not `maybe`",
        ),
        (
            "local=tcp -h 127.0.0.1 -p 70000",
            "6:27 in `local`: `-p` takes a port from 0 to 65535, not `70000`",
        ),
        (
            "local=tcp -h 127.0.0.1",
            "6:23 in `local`: an endpoint needs both `-h HOST` and `-p PORT`",
        ),
        (
            "node=a.b.c@tpc -h h -p 1",
            "6:12 in `node`: unknown transport `tpc`; tcp, udp and ssl are known",
        ),
        (
            "<B>\n</B>",
            "6:1 the key `servant` is missing, or has no value",
        ),
        (
            "<B>\nservant=A.T.o\nendpoint=tcp -h h -p 1\n</B>",
            "7:9 the name of a servant of this server begins with `A.S.`",
        ),
        (
            "<B>\nservant=A.S.\nendpoint=tcp -h h -p 1\n</B>",
            "7:9 the name of a servant of this server begins with `A.S.`",
        ),
        (
            "<B>\nservant=A.S.o\nendpoint=tcp -h h -p 1\norder=none\n</B>",
            "9:7 `order` must be `allow,deny` or `deny,allow`, not `none`",
        ),
    ] {
        let error = server(line).unwrap_err();
        if line == "app=" {
            // The last one counts, and it is empty.
            assert_eq!(
                faults(&error),
                ["3:1 the key `app` is missing, or has no value"]
            );
        } else {
            assert_eq!(faults(&error)[0], expected, "{line}");
        }
    }
    for (inside, expected) in [
        (
            "enableset=y",
            "2:1 the key `setdivision` is missing, or has no value",
        ),
        (
            "enableset=Y\nsetdivision=NULL",
            "4:13 `setdivision` must be a set, NAME.AREA.GROUP, of which only GROUP may be `*`, not `NULL`",
        ),
        (
            "enableset=j",
            "3:11 `enableset` must be 0, 1, n or y, not `j`",
        ),
        (
            "<client>\nsample-rate=x\n</client>",
            "4:13 `sample-rate` must be a number from 0 to 4294967295, not `x`",
        ),
    ] {
        let error = application(inside).unwrap_err();
        assert_eq!(faults(&error), [expected], "{inside}");
    }
    for (text, expected) in [
        (
            "",
            "1:1 the block `/tars/application` is missing: this is no config of a server or client",
        ),
        (
            "x=1\n<tars>\n<application>\n</application>\n</tars>",
            "1:1 text outside of `<tars>`",
        ),
    ] {
        let document = Document::parse(text).unwrap();
        assert_eq!(
            faults(&ApplicationConfig::new(&document).unwrap_err()),
            [expected]
        );
    }
}

#[test]
fn all_wrong_values_are_reported_at_once() {
    let error = server("logsize=x\n<B>\nendpoint=tcp\n</B>\nlognum=y").unwrap_err();
    assert_eq!(
        faults(&error),
        [
            "6:9 `logsize` must be a number of bytes with or without K, M or G, not `x`",
            "7:1 the key `servant` is missing, or has no value",
            "8:13 in `endpoint`: an endpoint needs both `-h HOST` and `-p PORT`",
            "10:8 `lognum` must be a number from 0 to 4294967295, not `y`",
        ]
    );
}

#[test]
fn other_keys_are_listed() {
    let config = server(
        "opencoroutine=1\nmine=2\n<B>\nservant=A.S.o\nendpoint=tcp -h h -p 1\nhandlegroup=g\nyours=3\n</B>",
    );
    let config = config.unwrap();
    let keys = |keys: &[tars_rpc::config::Key]| {
        let keys = keys.iter().map(|key| format!("{}={}", key.path, key.value));
        keys.collect::<Vec<_>>()
    };
    assert_eq!(
        keys(config.unknown()),
        [
            "/tars/application/server/B<yours>=3",
            "/tars/application/server<mine>=2"
        ]
    );
    assert_eq!(
        keys(config.unused()),
        [
            "/tars/application/server/B<handlegroup>=g",
            "/tars/application/server<opencoroutine>=1"
        ]
    );
}

#[test]
fn secrets_are_not_printed() {
    let config = server(
        "<A.S.oAdapter>\nservant=A.S.o\nendpoint=tcp -h h -p 1\naccesskey=ak\nsecretkey=hush\n</A.S.oAdapter>",
    );
    let config = config.unwrap();
    assert!(!format!("{config:?}").contains("hush"));
    let server = config.server.unwrap();
    let credentials = server.adapters[0].credentials.as_ref().unwrap();
    assert_eq!(
        (
            credentials.access_key.as_str(),
            credentials.secret_key.as_str()
        ),
        ("ak", "hush")
    );
}

#[test]
fn templates_of_tars_php_are_understood() {
    let config = server(
        "servType=websocket\nprotocolName=http\nloglevel=info\ndaemonize=1\n\
         <A.S.oAdapter>\nservant=A.S.o\nendpoint=tcp -h h -p 1\nprotocol=not_tars\nallow=10.0.0.1;10.0.0.2, 10.0.0.3\n</A.S.oAdapter>",
    );
    let server = config.unwrap().server.unwrap();
    assert_eq!(server.serv_type.as_deref(), Some("websocket"));
    assert_eq!(server.protocol_name.as_deref(), Some("http"));
    assert_eq!(
        (server.log_level.as_str(), server.daemonize),
        ("INFO", true)
    );
    let adapter = &server.adapters[0];
    assert_eq!(adapter.protocol, Protocol::NotTars);
    assert_eq!(adapter.allow, ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
}

/// Damaged in thousands of ways, files are understood or refused, and what is understood comes back.
#[test]
fn damaged_files_do_no_harm() {
    const PIECES: [&str; 16] = [
        "<", ">", "</", "=", "\\", "#", "\n", "\r\n", "${", "}", " ", "\t", "\u{feff}", "\u{4e00}",
        "\0", "<tars>\n",
    ];
    let mut random = fastrand::Rng::with_seed(7);
    let (mut understood, mut refused) = (0, 0);
    for round in 0..2000 {
        let mut text = text(FILES[round % 3]);
        for _ in 0..random.usize(1..5) {
            let mut at = random.usize(..=text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + random.usize(..40)).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            match random.u8(..4) {
                0 => text.replace_range(at..end.max(at), ""),
                1 => text.insert_str(at, random.choice(PIECES).unwrap()),
                2 => {
                    let copy = text[at..end.max(at)].to_owned();
                    text.insert_str(random.usize(..=text.len() / 2), &copy);
                }
                _ => text.truncate(at),
            }
        }
        let Ok(mut document) = Document::parse(text.as_str()) else {
            refused += 1;
            continue;
        };
        understood += 1;
        assert_eq!(document.to_string(), text);
        let _ = ApplicationConfig::new(&document).map_err(|error| error.to_string());
        let value = random.choice(["", "1", "a\\b=c\n", "${x}"]).unwrap();
        for path in ["/tars/application/server<app>", "/tars/a/b<c>", "/<root>"] {
            if document.set(path, value).is_ok() {
                assert_eq!(document.get(path), Some(value), "{text}");
            }
        }
    }
    assert!(understood > 200 && refused > 200, "{understood} {refused}");
}
