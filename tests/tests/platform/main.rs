//! A server of tars-rpc on the platform: started from a config file that a real `tarsnode` wrote, against the stand-in.

mod faults;
mod server;

use std::time::Duration;

use server::{Greeter, TestServer};
use tars_rpc::platform::{Notifylevel, ReportType, property::Policy};
use tars_tests::platform::{Event, StandIn, messages};

/// The whole life of a server, as its platform sees it.
#[tokio::test]
async fn a_server_lives_on_the_platform() {
    let stand_in = StandIn::start().await;
    stand_in.services().set_file(
        "PHPTest",
        "CppServer",
        "chat.conf",
        "",
        "<chat>\n room=lobby\n</chat>\n",
    );
    stand_in.services().set_file(
        "PHPTest",
        "CppServer",
        "chat.conf",
        "127.0.0.1",
        "<chat>\n size=7\n</chat>\n",
    );
    let mut server = TestServer::start(&stand_in).await;
    let platform = server.platform();

    // Before its listeners answer, it is starting.
    let pid = i32::try_from(std::process::id()).unwrap();
    let starting = stand_in.wait("keepActiving", |events| match events.first() {
        Some(Event::KeepActiving(info)) => Some(info.clone()),
        _ => None,
    });
    let starting = starting.await;
    let who = (&*starting.application, &*starting.server_name, starting.pid);
    assert_eq!(
        (who, &*starting.adapter),
        (("PHPTest", "CppServer", pid), "")
    );

    let config = platform.config().pull("chat.conf").await.unwrap();
    let joined = "<chat>\n room=lobby\n</chat>\n\r\n\r\n<chat>\n size=7\n</chat>\n";
    assert_eq!(
        (&*config.text, config.path),
        (joined, server.directory().join("bin/chat.conf"))
    );

    server.serve().await;
    let adapters = [
        "AdminAdapter",
        "PHPTest.CppServer.EchoObjAdapter",
        "PHPTest.CppServer.objAdapter",
    ];
    stand_in
        .wait("keepAlive of all adapters", |events| {
            let alive: Vec<_> = events
                .iter()
                .filter_map(|event| match event {
                    Event::KeepAlive(info) => Some(info.adapter.as_str()),
                    _ => None,
                })
                .collect();
            let is_first = alive.first() == Some(&"");
            (is_first && adapters.iter().all(|name| alive.contains(name))).then_some(())
        })
        .await;
    let events = stand_in.services().events().borrow().clone();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Version(v) if !v.is_empty()))
    );

    // Calls are counted on both sides.
    let greeter = server.greeter();
    for name in ["ted", "amy", ""] {
        assert_eq!(greeter.say_hello(name).await.is_ok(), !name.is_empty());
    }
    let function = |from_client: bool| {
        move |events: &[Event]| {
            events.iter().find_map(|event| match event {
                Event::Stat(calls, of_client) if *of_client == from_client => {
                    let mut calls = calls.iter();
                    let found = calls.find(|(head, _)| head.interface_name == "sayHello");
                    found.map(|(head, body)| (head.clone(), body.clone()))
                }
                _ => None,
            })
        }
    };
    let (head, body) = stand_in.wait("client statistics", function(true)).await;
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(head.master_name, format!("PHPTest.CppServer@{version}"));
    assert_eq!(
        (&*head.slave_name, &*head.slave_ip),
        ("PHPTest.CppServer", "127.0.0.1")
    );
    assert_eq!(
        head.slave_port,
        i32::from(server.port("PHPTest.CppServer.objAdapter"))
    );
    assert_eq!((body.count, body.timeout_count, body.exec_count), (2, 0, 1));
    assert_eq!(body.interval_count.values().sum::<i32>(), 3);
    assert!(
        i64::from(body.max_rsp_time) <= body.total_rsp_time
            && body.min_rsp_time <= body.max_rsp_time
    );
    let (head, body) = stand_in.wait("server statistics", function(false)).await;
    assert_eq!(
        (&*head.master_name, &*head.slave_name),
        ("stat_from_server", "PHPTest.CppServer")
    );
    assert_eq!(
        (&*head.master_ip, &*head.slave_ip, head.slave_port),
        ("127.0.0.1", "", 0)
    );
    assert_eq!((body.count, body.timeout_count, body.exec_count), (2, 0, 1));

    // Properties, of the process and of its own.
    platform
        .properties()
        .property("rooms", [Policy::Max])
        .report(7);
    let properties = stand_in.wait("properties", |events| {
        let reports = events.iter().filter_map(|event| match event {
            Event::Property(properties) => Some(properties),
            _ => None,
        });
        let values = reports.flatten().flat_map(|(head, body)| {
            body.v_info.iter().map(|info| {
                (
                    head.property_name.clone(),
                    info.policy.clone(),
                    info.value.clone(),
                )
            })
        });
        let values: Vec<_> = values.collect();
        let has = |name: &str| values.iter().any(|(n, ..)| n == name);
        let own = values
            .iter()
            .any(|(name, _, value)| name == "rooms" && value == "7");
        let base = [
            "CppServer.memoryUsage",
            "PHPTest.CppServer.objAdapter.timeoutNum",
        ];
        (own && base.into_iter().all(has)).then_some(values)
    });
    let of_rooms: Vec<_> = properties
        .await
        .into_iter()
        .filter(|(name, ..)| name == "rooms")
        .collect();
    assert!(of_rooms.iter().all(|(_, policy, _)| policy == "Max"));

    // Log lines.
    server
        .log()
        .day("orders", tars_rpc::platform::logs::Rolling::Hour)
        .write("4711|paid");
    let (info, lines) = stand_in
        .wait("log lines", |events| {
            events.iter().find_map(|event| match event {
                Event::Log(info, lines) => Some((info.clone(), lines.clone())),
                _ => None,
            })
        })
        .await;
    assert_eq!((&*info.s_filename, &*info.s_format), ("orders", "%Y%m%d%H"));
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].ends_with("|4711|paid\n") && lines[0].as_bytes()[10] == b' ',
        "{lines:?}"
    );

    // Commands, as the node sends them.
    let admin = server.admin();
    let status = admin.notify("tars.viewstatus").await.unwrap();
    assert!(
        status.starts_with("[notify prefix object num:1]\n[1]:[server]: PHPTest.CppServer pid "),
        "{status}"
    );
    assert!(
        status
            .contains("[adapter]: PHPTest.CppServer.objAdapter connections=1 requests=3 failed=1"),
        "{status}"
    );
    let answer = |text: &str| format!("[notify prefix object num:1]\n[1]:{text}\n");
    for (command, expected) in [
        ("tars.viewversion", answer(&format!("${version}$"))),
        ("tars.setloglevel ERROR", answer("set log level [ERROR] ok")),
        (
            "tars.loadconfig chat.conf",
            answer("[succ] get remote config:chat.conf"),
        ),
        ("chat.close lobby", answer("room lobby is closed")),
        ("no.such.command", String::new()),
        ("", String::new()),
    ] {
        assert_eq!(admin.notify(command).await.unwrap(), expected, "{command}");
    }
    assert_eq!(
        server.log().level().get(),
        tars_rpc::config::LogLevel::Error
    );
    let help = admin.notify("tars.help").await.unwrap();
    for name in [
        "chat.close",
        "tars.connection",
        "tars.help",
        "tars.loadconfig",
        "tars.setloglevel",
        "tars.viewstatus",
        "tars.viewversion",
    ] {
        assert!(help.contains(&format!("{name}\r\n")), "{help}");
    }
    let connections = admin.notify("tars.connection").await.unwrap();
    assert!(
        connections.contains("[adapter:PHPTest.CppServer.objAdapter] [connections:1]\nconn-uid "),
        "{connections}"
    );
    assert_eq!(admin.get_pid().await.unwrap(), i64::from(pid));

    // The node ends it: what runs is answered first.
    let slow = tokio::spawn({
        let greeter = server.greeter();
        async move { greeter.say_hello(Greeter::SLOW).await }
    });
    server.greeting().await;
    server.shut_down_by_node().await;
    assert_eq!(slow.await.unwrap().unwrap(), "hello slow!");
    server.ended(Duration::from_secs(3)).await;
    stand_in
        .wait("stop", |events| {
            messages(events).contains(&"stop").then_some(())
        })
        .await;
    let events = stand_in.services().events().borrow().clone();
    let messages = messages(&events);
    assert!(
        messages.contains(&"[succ] get remote config:chat.conf"),
        "{messages:?}"
    );
    assert!(
        messages.contains(&"AdminServant::notify:tars.viewstatus"),
        "{messages:?}"
    );
    let place = |text: &str| {
        messages
            .iter()
            .position(|message| *message == text)
            .expect(text)
    };
    assert!(place("restart") < place("stop"));
    let of_framework = events.iter().filter_map(|event| match event {
        Event::Notify(info) => Some((info.e_type, info.e_level, &*info.s_node_name)),
        _ => None,
    });
    for of_framework in of_framework {
        assert_eq!(
            of_framework,
            (ReportType::REPORT, Notifylevel::NOTIFYNORMAL, "127.0.0.1")
        );
    }
}
