//! `example-server --config=FILE start|stop|restart|status`.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use tars_tests::platform::StandIn;

use crate::common::Client;
use crate::deployed::{Deployed, Orphan, lives};
use crate::{connected, get};

fn deployed() -> Deployed {
    let deployed = Deployed::new("PHPWebsocketServer", None);
    // Without a registry to ask, the chat has a PHPServer of its own.
    deployed.services("[obj]\nservant = 'PHPTest.PHPServer.obj@tcp -h 127.0.0.1 -p 1'\n");
    deployed
}

/// The process that a start in the background tells of.
fn process(out: &str) -> Orphan {
    let line = out
        .lines()
        .find(|line| line.contains("runs as process "))
        .expect(out);
    Orphan(line.rsplit(' ').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn start_status_restart_stop() {
    let deployed = deployed();
    let chat = deployed.address("objAdapter");
    let said = deployed.run(&["status"]);
    assert_eq!(
        (said.code, &*said.out),
        (Some(3), "PHPTest.PHPWebsocketServer does not run\n")
    );

    // It is said to have started when it answers, and not before.
    let said = deployed.run(&["start", "--daemon"]);
    assert_eq!((said.code, &*said.err), (Some(0), ""), "{said:?}");
    let first = process(&said.out);
    assert!(
        said.out.starts_with(&format!(
            "chat http://{chat}/\nPHPServer PHPTest.PHPServer.obj@"
        )),
        "{said:?}"
    );
    assert_eq!(get(chat, "/healthz").await, "ok");
    assert_eq!(
        fs::read_to_string(deployed.pid_file()).unwrap(),
        format!("{}\n", first.0)
    );
    // It left the session and the terminal, and writes to its log.
    let stat = String::from_utf8(first.proc("stat")).unwrap();
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    assert_eq!(fields[3], first.0.to_string(), "a session of its own");
    for fd in ["1", "2"] {
        let path = fs::read_link(format!("/proc/{}/fd/{fd}", first.0)).unwrap();
        assert_eq!(path, deployed.log());
    }

    let said = deployed.run(&["status"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let head = format!(
        "PHPTest.PHPWebsocketServer runs as process {}\n[server]: PHPTest",
        first.0
    );
    assert!(said.out.starts_with(&head), "{said:?}");

    for arguments in [&["start", "--daemon"][..], &["start"], &[]] {
        let said = deployed.run(arguments);
        assert_eq!(said.code, Some(1));
        let already = format!(
            "runs already, as process {}; use restart, or stop it first\n",
            first.0
        );
        assert!(said.err.ends_with(&already), "{said:?}");
    }
    assert!(lives(first.0), "the first is not disturbed");

    let mut client = Client::connect(chat).await;
    let said = deployed.run(&["restart", "--daemon"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out
            .starts_with("PHPTest.PHPWebsocketServer has ended\n"),
        "{said:?}"
    );
    assert_eq!(client.closed().await, 1001, "it drained");
    let second = process(&said.out);
    assert!(second.0 != first.0 && lives(second.0));
    first.is_gone().await;

    let said = deployed.run(&["stop"]);
    assert_eq!(
        (said.code, &*said.out),
        (Some(0), "PHPTest.PHPWebsocketServer has ended\n"),
        "{said:?}"
    );
    second.is_gone().await;
    let said = deployed.run(&["stop"]);
    assert_eq!(
        (said.code, &*said.out),
        (Some(0), "PHPTest.PHPWebsocketServer does not run\n")
    );
}

/// The template of TarsPHP has `daemonize=1`: it is for the command, and not for tarsnode, which gives none.
#[tokio::test]
async fn the_template_of_tars_php_starts_in_the_background() {
    let deployed = Deployed::new("PhpDummy", None);
    assert_eq!(deployed.get("server<daemonize>"), "1");
    let said = deployed.run(&["start"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let server = process(&said.out);
    assert_eq!(get(deployed.address("objAdapter"), "/healthz").await, "ok");
    assert_eq!(deployed.run(&["stop"]).code, Some(0));
    server.is_gone().await;

    let mut here = deployed.start();
    connected(deployed.address("objAdapter")).await;
    here.signal("-INT");
    assert_eq!(here.ended_within(Duration::from_secs(3)).code(), Some(0));
}

#[tokio::test]
async fn a_server_that_was_killed_is_no_obstacle() {
    let deployed = deployed();
    let server = process(&deployed.run(&["start", "--daemon"]).out);
    crate::deployed::signal(server.0, "-KILL");
    server.ended_within(Duration::from_secs(10)).await;
    assert_eq!(
        fs::read_to_string(deployed.pid_file()).unwrap(),
        format!("{}\n", server.0)
    );
    assert_eq!(deployed.run(&["status"]).code, Some(3));
    let said = deployed.run(&["restart", "--daemon"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let second = process(&said.out);
    assert_eq!(deployed.run(&["stop"]).code, Some(0));
    second.is_gone().await;
}

/// What hangs is ended, that process and no other, and the exit code says so.
#[tokio::test]
async fn a_server_that_hangs_is_ended() {
    let mut deployed = deployed();
    deployed.set("server<deactivating-timeout>", "100");
    let server = process(&deployed.run(&["start", "--daemon"]).out);
    crate::deployed::signal(server.0, "-STOP");
    let status = deployed.run(&["status"]);
    assert_eq!(status.code, Some(4), "{status:?}");
    assert!(
        status.err.contains("it starts, drains or hangs"),
        "{status:?}"
    );
    let said = deployed.run(&["stop"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains(&format!(
            "process {} did not end within 3s and was killed",
            server.0
        )),
        "{said:?}"
    );
    server.is_gone().await;

    // A restart tells of it, and goes on.
    let server = process(&deployed.run(&["start", "--daemon"]).out);
    crate::deployed::signal(server.0, "-STOP");
    let said = deployed.run(&["restart", "--daemon"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("and was killed"), "{said:?}");
    let second = process(&said.out);
    server.is_gone().await;
    assert!(lives(second.0));
    assert_eq!(deployed.run(&["stop"]).code, Some(0));
}

#[tokio::test]
async fn mistakes_are_told_at_start() {
    let mut deployed = deployed();
    let chat = deployed.address("objAdapter");
    let taken = TcpListener::bind(chat).unwrap();
    for arguments in [&["start", "--daemon"][..], &[]] {
        let said = deployed.run(arguments);
        assert_eq!((said.code, &*said.out), (Some(1), ""), "{said:?}");
        let problem = format!(
            "cannot listen on `tcp -h 127.0.0.1 -p {} -t 60000`",
            chat.port()
        );
        assert!(said.err.contains(&problem), "{said:?}");
    }
    drop(taken);
    assert_eq!(deployed.run(&["status"]).code, Some(3));

    deployed.services("[obj]\nhome-class = 'Nope'\n");
    let said = deployed.run(&[]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err
            .contains("services.toml: `obj.home-class`: no message handler `Nope`"),
        "{said:?}"
    );
    deployed.services("");

    // The mistake that everybody makes once: the protocol of the port.
    deployed.set(
        "server/PHPTest.PHPWebsocketServer.objAdapter<protocol>",
        "tars",
    );
    let said = deployed.run(&[]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err
            .contains("choose \"not TARS\" for its port on the platform"),
        "{said:?}"
    );
    deployed.set(
        "server/PHPTest.PHPWebsocketServer.objAdapter<protocol>",
        "not_tars",
    );

    deployed.set(
        "server/PHPTest.PHPWebsocketServer.objAdapter<accesskey>",
        "me",
    );
    let said = deployed.run(&[]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("`accesskey` is not supported"),
        "{said:?}"
    );

    deployed.set("server<servType>", "tcp");
    let said = deployed.run(&[]);
    assert_eq!(said.code, Some(1));
    assert!(
        said.err.contains("`servType=tcp`, this one is `websocket`"),
        "{said:?}"
    );

    let conf = fs::read_to_string(deployed.conf()).unwrap();
    fs::write(deployed.conf(), conf.replace("</server>", "")).unwrap();
    let said = deployed.run(&["status"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains(".config.conf:"), "{said:?}");

    let nowhere = deployed.run(&["resume"]);
    assert_eq!(nowhere.code, Some(2));
}

/// A port of the chat takes connections from whom the platform allows.
#[tokio::test]
async fn strangers_are_closed_at_once() {
    let stand_in = StandIn::start().await;
    let mut deployed = Deployed::new("PhpDummy", Some(&stand_in));
    deployed.set("server/PHPTest.PhpDummy.objAdapter<allow>", "10.0.0.1");
    let server = deployed.start();
    let chat = deployed.address("objAdapter");
    assert_eq!(get(chat, "/healthz").await, "");
    drop(server);
    deployed.set(
        "server/PHPTest.PhpDummy.objAdapter<allow>",
        "10.0.0.1;127.0.0.1",
    );
    let _server = deployed.start();
    assert_eq!(get(chat, "/healthz").await, "ok");
}
