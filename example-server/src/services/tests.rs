//! services.toml: what is accepted, and what each mistake is told.

use super::keys::KEYS;
use super::*;

fn parse(text: &str) -> Result<Services, ServicesError> {
    Services::parse(text, Path::new(""))
}

fn error(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn the_file_beside_the_program_says_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("services.toml");
    let services = Services::load(&path).unwrap();
    let directory = services.save_tars_config_file_dir.clone();
    assert!(directory.ends_with("conf"));
    assert_eq!(services.fd_store.store, &fd_store::MEMORY);
    let defaults = Services {
        save_tars_config_file_dir: directory,
        fd_store: services.fd_store.clone(),
        ..Services::default()
    };
    assert_eq!(services, defaults);
}

#[test]
fn nothing_is_needed() {
    assert_eq!(parse("").unwrap(), Services::default());
    assert_eq!(parse("[obj]").unwrap(), Services::default());
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest() {
    assert_eq!(
        error("[obj]\n\nhomeclass = 'x'"),
        "line 3: unknown key `homeclass` in [obj]; did you mean `home-class`?"
    );
    assert_eq!(
        error("[obj.limits]\nmaxMesageSize = 1"),
        "line 2: unknown key `maxMesageSize` in [obj.limits]; did you mean `maxMessageSize`?"
    );
    assert_eq!(
        error("[obk]"),
        "line 1: unknown key `obk` in the file; did you mean `obj`?"
    );
    assert!(error("[obj]\nzzz = 1").contains("it may be one of namespaceName, home-class"));
}

#[test]
fn every_listed_key_is_a_key() {
    // The list for the advice and the structs that are read cannot drift apart.
    for (path, keys) in KEYS.iter().filter(|(path, _)| !path.is_empty()) {
        let text = format!("[{path}]\nnot-a-key = 1");
        let refused = toml::from_str::<File>(&text).unwrap_err().to_string();
        for key in *keys {
            assert!(
                refused.contains(&format!("`{key}`")),
                "{path}.{key}: {refused}"
            );
        }
    }
}

#[test]
fn the_class_of_a_services_php_is_taken() {
    let text = r"obj.home-class = '\WebsocketServer\message\Echo'";
    assert_eq!(parse(text).unwrap().home_class.name(), "Echo");
    assert_eq!(
        error("obj.home-class = 'Nope'"),
        "`obj.home-class`: no message handler `Nope` is registered; there is ExampleWebsocket, Echo"
    );
}

#[test]
fn stores() {
    let file = parse("obj.fdStoreConf = { className = 'file', config = { path = 'fd.log' } }");
    assert_eq!(file.unwrap().fd_store.store, &fd_store::FILE);
    let php = r"obj.fdStoreConf.className = '\Tars\monitor\cache\redis'";
    assert_eq!(parse(php).unwrap().fd_store.store, &fd_store::REDIS);
    let unknown = error("obj.fdStoreConf.className = 'rediss'");
    assert!(unknown.contains("no store `rediss` is registered; there is memory, file, redis"));
    assert!(error("obj.monitorStoreConf.className = 'x'").contains("no store `x`"));
}

#[test]
fn values_that_cannot_work() {
    assert!(error("obj.protocolName = 'tars'").contains("this server is \"http\""));
    assert!(error("obj.serverType = 'tcp'").contains("this server is \"websocket\""));
    assert!(error("obj.pushToken = 'short'").contains("at least 16"));
    assert!(error("obj.allowedOrigins = ['localhost']").contains("`localhost` is no origin"));
    assert!(error("obj.limits.maxConnections = 0").contains("at least 1"));
    let queue = |size: usize| format!("obj.limits.maxQueueSize = {size}");
    let smallest = crate::ws::outbox::cost_of_message(1024 * 1024);
    assert!(error(&queue(smallest - 1)).contains(&smallest.to_string()));
    assert!(parse(&queue(smallest)).is_ok());
    assert!(parse("obj.limits.maxMessageSize = -1").is_err());
    let idle = |ms: u64| format!("obj.limits = {{ pingIntervalMs = 100, idleTimeoutMs = {ms} }}");
    assert!(error(&idle(100)).contains("more than pingIntervalMs, which is 100"));
    assert!(parse(&idle(101)).is_ok());
    assert!(parse("obj.limits.slowConsumer = 'dropOldest'").is_ok());
    assert!(error("obj.limits.slowConsumer = 'drop'").contains("unknown variant `drop`"));
}

#[test]
fn a_token_does_not_appear_in_debug_output() {
    let services = parse("obj.pushToken = 'abcdefghijklmnop'").unwrap();
    assert!(!format!("{services:?}").contains("abcdefgh"));
}
