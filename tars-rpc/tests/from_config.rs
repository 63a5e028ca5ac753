//! What the keys of `<client>` in a Tars config file do. (`registry.rs` has those of the registry, `tls.rs` those of
//! TLS, `adapters.rs` those of `<server>`.)

use tars_rpc::{
    Communicator,
    config::{ApplicationConfig, Document},
};

fn client(lines: &str) -> ApplicationConfig {
    let text =
        format!("<tars>\n<application>\n<client>\n{lines}\n</client>\n</application>\n</tars>\n");
    ApplicationConfig::new(&Document::parse(&text).unwrap()).unwrap()
}

/// The settings of a communicator, as its builder shows them.
fn settings(lines: &str) -> String {
    let builder = Communicator::builder().application(&client(lines)).unwrap();
    format!("{builder:?}")
}

#[test]
fn keys_become_settings() {
    for (lines, setting) in [
        ("sync-invoke-timeout=1500", " timeout: 1.5s,"),
        ("refresh-endpoint-interval=10000", " refresh: 10s"),
        ("keep-alive-interval=7000", " keep_alive: Some(7s),"),
        ("keep-alive-interval=0", " keep_alive: None,"),
        ("", " keep_alive: Some(30s),"),
        ("", " timeout: 3s,"),
        ("locator=a.b.c@tcp -h 10.0.0.1 -p 1", "object: \"a.b.c\""),
    ] {
        let settings = settings(lines);
        assert!(settings.contains(setting), "{setting} in {settings}");
    }
}

#[test]
fn keys_without_effect_are_listed() {
    let config = client("min-timeout=100\nasyncqueuecap=5\nkeep-alive-intervall=5\nasyncthread=3");
    let keys = |keys: &[tars_rpc::config::Key]| -> Vec<String> {
        keys.iter().map(|key| key.path.clone()).collect()
    };
    let path = |key: &str| format!("/tars/application/client<{key}>");
    assert_eq!(
        keys(config.unused()),
        [path("min-timeout"), path("asyncqueuecap")]
    );
    assert_eq!(keys(config.unknown()), [path("keep-alive-intervall")]);
}
