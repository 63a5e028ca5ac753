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
    assert_eq!(services.fd_store.store, &fd_store::MEMORY);
    let defaults = Services {
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
        let refused = toml::from_str::<File<Obj>>(&text).unwrap_err().to_string();
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
fn statistics_wait_where_services_php_says() {
    let store = |conf: &str| {
        parse(&format!("monitorStoreConf = {conf}"))
            .unwrap()
            .monitor_store
    };
    let php = r"{ className = 'Tars\monitor\cache\SwooleTableStoreCache', config = { size = 7 } }";
    assert_eq!(store(php), MonitorStore::Memory { size: 7 });
    let redis = r"{ className = 'Tars\monitor\cache\RedisStoreCache', config = { host = '::1', port = 7, password = 'p:@', timeout = 0.5, ttl = 9, cachePrefix = 'x_' } }";
    assert_eq!(
        store(redis),
        MonitorStore::Redis {
            url: "redis://:p%3A%40@[::1]:7/0".to_owned(),
            prefix: Some("x_".to_owned()),
            ttl: Some(9),
            timeout_ms: Some(500),
            size: 40_960,
        }
    );
    assert!(
        !format!("{:?}", store(redis)).contains("p%3A"),
        "the password"
    );
    let here = parse("obj.monitorStoreConf = { className = 'memory', config = { size = 8 } }");
    assert_eq!(
        here.unwrap().monitor_store,
        MonitorStore::Memory { size: 8 }
    );
    let twice = "monitorStoreConf.className = 'memory'\nobj.monitorStoreConf.className = 'memory'";
    assert!(error(twice).contains("is there twice"));
    let size = "monitorStoreConf = { className = 'memory', config = { size = 0 } }";
    assert!(error(size).contains("at least 1"));
    let key = "monitorStoreConf = { className = 'memory', config = { sise = 1 } }";
    assert!(
        error(key).contains("did you mean `size`?"),
        "{}",
        error(key)
    );
}

#[test]
fn endpoints_are_kept_as_services_php_says() {
    let keeps = |conf: &str| {
        parse(&format!("registryStoreConf = {conf}"))
            .unwrap()
            .keeps_endpoints
    };
    assert!(keeps(
        r"{ className = 'Tars\registry\RouteTable', config = { size = 200 } }"
    ));
    assert!(keeps("{ className = 'file' }"));
    assert!(!keeps("{ className = 'memory' }"));
    let unknown = error("registryStoreConf.className = 'x'");
    assert!(unknown.contains("there is file, memory"), "{unknown}");
}

#[test]
fn other_tables_are_servants() {
    let text = r"
        [AdmObj]
        serverType = 'tcp'
        protocolName = 'tars'
        home-api = '\Server\servant\PHPTest\PHPServer\obj\TestTafServiceServant'
        home-class = '\Server\impl\PHPServerServantImpl'
        [obj]
        home-class = 'Echo'
    ";
    let services = parse(text).unwrap();
    assert_eq!(services.servants["AdmObj"].name(), "PhpServer");
    assert_eq!(services.home_class.name(), "Echo");
    let of_tcp = parse("obj.serverType = 'tcp'").unwrap();
    assert_eq!(of_tcp.servants["obj"], tars_servants::DEFAULT);
    assert!(
        error("[AdmObj]\nserverType = 'tcp'\nhomeclass = 'x'").contains(
            "line 3: unknown key `homeclass` in the table of a servant; did you mean `home-class`?"
        )
    );
    assert_eq!(
        error("[AdmObj]\nserverType = 'tcp'\nhome-class = 'Nope'"),
        "`home-class`: of `AdmObj`: no servant `Nope` is registered; there is PhpServer"
    );
    assert!(error("[AdmObj]\nserverType = 'udp'\nprotocolName = 'tars'").contains("\"tcp\""));
}

#[test]
fn files_of_the_platform_have_names_only() {
    let names = parse("obj.saveTarsConfigFileName = ['', 'a.conf', 'b']").unwrap();
    assert_eq!(names.save_tars_config_file_name, ["a.conf", "b"]);
    for wrong in ["../a", "a/", "/etc/passwd", ".."] {
        let error = error(&format!("obj.saveTarsConfigFileName = ['{wrong}']"));
        assert!(error.contains("without directories"), "{error}");
    }
}

#[test]
fn values_that_cannot_work() {
    assert!(error("obj.protocolName = 'json'").contains("this server is \"http\""));
    assert!(error("obj.serverType = 'http'").contains("this server is \"websocket\""));
    assert!(error("obj.isTimer = true").contains("no timers"));
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
