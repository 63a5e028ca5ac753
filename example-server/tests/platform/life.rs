//! The whole life of a server, as its platform and its users see it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tars_rpc::Communicator;
use tars_rpc::client::CallOptions;
use tars_tests::platform::{Event, StandIn, messages};

use crate::common::Client;
use crate::common::redis::Redis;
use crate::deployed::{Deployed, Orphan, endpoint};
use crate::{PhpServer, connected, get, greeter, php_server};

/// PHPServers of the names A and B, of which the registry knows the first.
async fn php_servers(stand_in: &StandIn) -> [PhpServer; 2] {
    let [a, b] = ["A", "B"].map(|name| {
        greeter(move |_| {
            let greeting = format!("{name} greets");
            async { Ok(greeting) }
        })
    });
    let servers = [a.await, b.await];
    let mut objects = stand_in.services().objects();
    objects.add("PHPTest.PHPServer.obj", servers[0].address);
    servers
}

/// From the start script to the end by the node. `program` is in `bin/` of `deployed`.
async fn live(deployed: &Deployed, stand_in: &StandIn, program: &Path) {
    let [_a, b] = php_servers(stand_in).await;
    let services = stand_in.services();
    services.set_file(
        "PHPTest",
        "PHPWebsocketServer",
        "chat.conf",
        "",
        "<chat>\n room=lobby\n</chat>\n",
    );
    services.deploy("PHPTest.PHPWebsocketServer");

    let process = deployed.start_as_tarsnode(program);
    let (chat, adm) = (
        deployed.address("objAdapter"),
        deployed.address("AdmObjAdapter"),
    );
    started_as_the_node_wants_it(deployed, stand_in, &process, program).await;

    // Config files are there before anybody is served.
    let pulled = fs::read_to_string(deployed.path("bin/conf/chat.conf")).unwrap();
    assert_eq!(pulled, "<chat>\n room=lobby\n</chat>\n");

    // The chat works, and calls the PHPServer that the registry knows, until it knows another.
    let mut client = Client::connect(chat).await;
    assert_eq!(
        client.ask("subscribe|room1").await,
        "Subscribe roomNum:room1 success!"
    );
    client
        .send(r#"sendByRoom|{"roomNum":"room1","message":"hi"}"#)
        .await;
    assert_eq!(
        [client.next().await, client.next().await],
        ["hi", "SendByRoom success!"]
    );
    assert_eq!(client.ask("hello|ted").await, "A greets");
    services
        .objects()
        .set("PHPTest.PHPServer.obj", Vec::new(), Vec::new());
    services.objects().add("PHPTest.PHPServer.obj", b.address);
    while client.ask("hello|ted").await != "B greets" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(get(chat, "/client1.html").await.contains("<html"), "pages");
    assert_eq!(get(chat, "/readyz").await, "ready");

    // The other port speaks TARS.
    let address = format!("PHPTest.PHPWebsocketServer.AdmObj@{}", endpoint(adm));
    let proxy = Communicator::new().string_to_proxy(&address).unwrap();
    let mut reply = proxy
        .call("sayHelloWorld", |args| args.put(1, "name", "x"))
        .await
        .unwrap();
    assert_eq!(
        reply.take::<String>(2, "outGreetings").unwrap(),
        "hello world!"
    );

    reports_arrive(stand_in).await;
    operators_are_answered(deployed, stand_in).await;

    // The node ends it: whoever is there is told, and what is left is reported.
    let order = CallOptions::new().timeout(Duration::from_secs(5)).oneway();
    deployed.admin().with(order).shutdown().await.unwrap();
    let closed = client.closed();
    let (code, ()) = tokio::join!(closed, process.ended_within(Duration::from_secs(3)));
    assert_eq!(code, 1001);
    stand_in
        .wait("stop", |events| {
            messages(events).contains(&"stop").then_some(())
        })
        .await;
    assert_eq!(
        fs::read_to_string(deployed.pid_file()).unwrap(),
        "",
        "it ended in order"
    );
    let logged = deployed.logged();
    assert!(logged.contains("counted since the start"), "{logged}");
}

async fn started_as_the_node_wants_it(
    deployed: &Deployed,
    stand_in: &StandIn,
    process: &Orphan,
    program: &Path,
) {
    let alive = stand_in.wait("keepAlive of all adapters", |events| {
        let alive = events.iter().filter_map(|event| match event {
            Event::KeepAlive(info) => Some(info.clone()),
            _ => None,
        });
        let alive: Vec<_> = alive.collect();
        let has = |name: &str| alive.iter().any(|info| info.adapter == name);
        let all = [
            "AdminAdapter",
            "PHPTest.PHPWebsocketServer.objAdapter",
            "PHPTest.PHPWebsocketServer.AdmObjAdapter",
        ];
        all.into_iter().all(has).then_some(alive)
    });
    for info in alive.await {
        let who = (&*info.application, &*info.server_name, i64::from(info.pid));
        assert_eq!(
            who,
            ("PHPTest", "PHPWebsocketServer", process.0),
            "as tars_start.sh.pid has it"
        );
    }
    let events = stand_in.services().events().borrow().clone();
    let place = |wanted: fn(&Event) -> bool| events.iter().position(wanted).unwrap();
    let activing = place(|event| matches!(event, Event::KeepActiving(_)));
    let loaded = place(|event| matches!(event, Event::LoadConfig(_)));
    let version = place(|event| matches!(event, Event::Version(_)));
    let first = place(|event| matches!(event, Event::KeepAlive(_)));
    assert!(activing < version && loaded < version && version < first);

    let arguments = String::from_utf8(process.proc("cmdline")).unwrap();
    let option = format!("--config={}", deployed.conf().display());
    assert_eq!(
        arguments.split('\0').collect::<Vec<_>>(),
        [program.to_str().unwrap(), &option, ""]
    );
    let logged = deployed.logged();
    assert!(
        logged.contains("serving threads=5"),
        "`threads` of the adapters: {logged}"
    );
    let pid = fs::read_to_string(deployed.pid_file()).unwrap();
    assert_eq!(pid.trim(), process.0.to_string());
}

async fn reports_arrive(stand_in: &StandIn) {
    for (from_client, slave, master) in [
        (true, "PHPTest.PHPServer", "PHPTest.PHPWebsocketServer@"),
        (false, "PHPTest.PHPWebsocketServer", "stat_from_server"),
    ] {
        stand_in
            .wait(slave, |events| {
                let mut reports = events.iter().filter_map(|event| match event {
                    Event::Stat(calls, of) if *of == from_client => Some(calls),
                    _ => None,
                });
                let mut calls = reports.by_ref().flatten();
                let found = calls.any(|(head, body)| {
                    head.interface_name == "sayHelloWorld"
                        && head.slave_name == slave
                        && head.master_name.starts_with(master)
                        && body.count > 0
                });
                found.then_some(())
            })
            .await;
    }
    stand_in
        .wait("properties", |events| {
            let reports = events.iter().filter_map(|event| match event {
                Event::Property(properties) => Some(properties),
                _ => None,
            });
            let values: Vec<_> = reports
                .flatten()
                .flat_map(|(head, body)| {
                    let infos = body.v_info.iter();
                    infos.map(|info| (&*head.property_name, &*info.policy, &*info.value))
                })
                .collect();
            let has = |wanted: (&str, &str, &str)| values.contains(&wanted);
            let all = has(("chat.connections", "Max", "1"))
                && has(("chat.rooms", "Max", "1"))
                && has(("chat.deliveries", "Sum", "1"))
                && has((
                    "PHPTest.PHPWebsocketServer.objAdapter.connectRate",
                    "Avg",
                    "0",
                ));
            all.then_some(())
        })
        .await;
    stand_in
        .wait("log lines", |events| {
            let mut logs = events.iter().filter_map(|event| match event {
                Event::Log(info, lines) => Some((info, lines)),
                _ => None,
            });
            logs.any(|(info, lines)| {
                info.s_filename == "chat" && lines.iter().any(|line| line.contains("listening"))
            })
            .then_some(())
        })
        .await;
}

async fn operators_are_answered(deployed: &Deployed, stand_in: &StandIn) {
    let admin = deployed.admin();
    let status = admin.notify("tars.viewstatus").await.unwrap();
    for part in [
        "[notify prefix object num:1]\n[1]:[server]: PHPTest.PHPWebsocketServer pid ",
        "[adapter]: PHPTest.PHPWebsocketServer.objAdapter connections=1\n",
        "[adapter]: PHPTest.PHPWebsocketServer.AdmObjAdapter connections=1 requests=1",
    ] {
        assert!(status.contains(part), "{part}: {status}");
    }
    let numbers = admin.notify("chat.status").await.unwrap();
    assert!(numbers.contains("chat_connections 1\n"), "{numbers}");
    stand_in
        .services()
        .set_file("PHPTest", "PHPWebsocketServer", "chat.conf", "", "room=2\n");
    let loaded = admin.notify("tars.loadconfig chat.conf").await.unwrap();
    assert!(
        loaded.contains("[succ] get remote config:chat.conf"),
        "{loaded}"
    );
    let pulled = fs::read_to_string(deployed.path("bin/conf/chat.conf")).unwrap();
    assert_eq!(pulled, "room=2\n");
    let history = deployed.path("data/config-history/chat.conf/1");
    assert_eq!(
        fs::read_to_string(history).unwrap(),
        "<chat>\n room=lobby\n</chat>\n"
    );
}

const SERVICES: &str = "[obj]\nsaveTarsConfigFileName = ['', 'chat.conf']\n";

/// Started and stopped as framework.md shows it.
#[tokio::test]
async fn a_server_lives_on_the_platform() {
    let stand_in = StandIn::start().await;
    let deployed = Deployed::new("PHPWebsocketServer", Some(&stand_in));
    deployed.services(SERVICES);
    let program = deployed.path("bin/PHPWebsocketServer");
    fs::hard_link(env!("CARGO_BIN_EXE_example-server"), &program)
        .or_else(|_| fs::copy(env!("CARGO_BIN_EXE_example-server"), &program).map(drop))
        .unwrap();
    live(&deployed, &stand_in, &program).await;
}

/// The same from a package: what `scripts/deploy.sh` makes, but for the executable, which is this build's.
#[tokio::test]
#[ignore = "builds tars2rs; run by .ci/run"]
async fn a_package_lives_on_the_platform() {
    let stand_in = StandIn::start().await;
    let mut deployed = Deployed::new("PHPWebsocketServer", Some(&stand_in));
    // The keys of the websocket template.
    deployed.set("server<servType>", "websocket");
    deployed.set("server<protocolName>", "http");
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let packed = deployed.path("packed");
    let made = Command::new(env!("CARGO"))
        .args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "tars2rs",
            "--",
            "package",
        ])
        .args([
            "tars/tars.proto.toml",
            "--binary",
            env!("CARGO_BIN_EXE_example-server"),
        ])
        .arg("--output")
        .arg(&packed)
        .current_dir(workspace)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let package = fs::read_dir(&packed)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    // tarsnode takes the directory out of the package, too.
    let unpacked = Command::new("tar")
        .args([
            "xzf".as_ref(),
            package.as_os_str(),
            "--strip-components=1".as_ref(),
            "-C".as_ref(),
        ])
        .arg(deployed.path("bin"))
        .status();
    assert!(unpacked.unwrap().success());
    deployed.services(SERVICES);
    live(
        &deployed,
        &stand_in,
        &deployed.path("bin/PHPWebsocketServer"),
    )
    .await;

    // And by hand, with its start script.
    let script = |name: &str, arguments: &[&str]| {
        let mut command = Command::new(deployed.path("bin").join(name));
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?} {}", deployed.logged());
        String::from_utf8(output.stdout).unwrap()
    };
    let option = format!("--config={}", deployed.conf().display());
    let said = script("start.sh", &[&option]);
    assert!(
        said.starts_with("PHPWebsocketServer runs as process "),
        "{said}"
    );
    let chat = deployed.address("objAdapter");
    connected(chat).await;
    assert_eq!(Client::connect(chat).await.ask("ping").await, "pong");
    assert_eq!(script("stop.sh", &[]), "PHPWebsocketServer has ended\n");
}

/// The other two configs that a real tarsnode wrote start servers, too.
#[tokio::test]
async fn the_config_of_tars_php_starts_the_chat() {
    let stand_in = StandIn::start().await;
    let deployed = Deployed::new("PhpDummy", Some(&stand_in));
    let php_server = php_server().await;
    stand_in
        .services()
        .objects()
        .add("PHPTest.PHPServer.obj", php_server.address);
    let mut server = deployed.start();
    let chat = deployed.address("objAdapter");
    connected(chat).await;
    let mut client = Client::connect(chat).await;
    assert_eq!(client.ask("hello|ted").await, "hello world!");
    server.signal("-TERM");
    assert_eq!(client.closed().await, 1001);
    assert_eq!(server.ended_within(Duration::from_secs(3)).code(), Some(0));
}

/// Without a port for the chat it is a PHPServer.
#[tokio::test]
async fn the_config_of_a_tars_server_starts_its_servants() {
    let stand_in = StandIn::start().await;
    let deployed = Deployed::new("CppServer", Some(&stand_in));
    let mut server = deployed.start();
    for (object, adapter) in [("obj", "objAdapter"), ("EchoObj", "EchoObjAdapter")] {
        let address = deployed.address(adapter);
        connected(address).await;
        let address = format!("PHPTest.CppServer.{object}@{}", endpoint(address));
        let proxy = Communicator::new().string_to_proxy(&address).unwrap();
        let mut reply = proxy
            .call("sayHelloWorld", |args| args.put(1, "name", "x"))
            .await
            .unwrap();
        assert_eq!(
            reply.take::<String>(2, "outGreetings").unwrap(),
            "hello world!"
        );
    }
    server.signal("-TERM");
    assert_eq!(server.ended_within(Duration::from_secs(3)).code(), Some(0));
}

/// The platform away: it starts, serves, says what it misses, and ends.
#[tokio::test]
async fn without_its_platform_it_serves() {
    let deployed = Deployed::new("PHPWebsocketServer", None);
    deployed.services(SERVICES);
    let mut server = deployed.start();
    let chat = deployed.address("objAdapter");
    connected(chat).await;
    let mut client = Client::connect(chat).await;
    assert_eq!(client.ask("ping").await, "pong");
    let answer = client.ask("hello|ted").await;
    assert!(answer.starts_with("Error: PHPServer"), "{answer}");
    let ready = async {
        loop {
            let ready = get(chat, "/readyz").await;
            if ready != "ready" {
                return ready;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let ready = tokio::time::timeout(Duration::from_secs(10), ready)
        .await
        .unwrap();
    assert!(ready.starts_with("ready, without PHPServer ("), "{ready}");
    server.signal("-TERM");
    assert_eq!(client.closed().await, 1001);
    assert_eq!(server.ended_within(Duration::from_secs(3)).code(), Some(0));
}

/// `monitorStoreConf` with the class of TarsPHP: what cannot be reported waits there.
#[tokio::test]
#[ignore = "needs redis-server"]
async fn statistics_wait_in_redis() {
    let (redis, php_server) = (Redis::start().await, php_server().await);
    let deployed = Deployed::new("PhpDummy", None);
    deployed.services(&format!(
        "[obj]\nservant = 'PHPTest.PHPServer.obj@{}'\n[obj.monitorStoreConf]\n\
         className = 'Tars\\monitor\\cache\\RedisStoreCache'\n\
         config = {{ host = '127.0.0.1', port = {}, cachePrefix = 'of_test_' }}\n",
        endpoint(php_server.address),
        redis.port
    ));
    let _server = deployed.start();
    let chat = deployed.address("objAdapter");
    connected(chat).await;
    assert_eq!(
        Client::connect(chat).await.ask("hello|ted").await,
        "hello world!"
    );
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", redis.port)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let found = async {
        loop {
            let keys = redis::cmd("KEYS").arg("of_test_*").to_owned();
            let keys: Vec<Vec<u8>> = keys.query_async(&mut connection).await.unwrap();
            if keys
                .iter()
                .any(|key| key.windows(13).any(|part| part == b"sayHelloWorld"))
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), found)
        .await
        .unwrap();
}
