//! The platform away, deaf, wrong and back.

use std::time::Duration;

use tars_rpc::platform::remote_config::Origin;
use tars_tests::platform::{Event, Mood, StandIn, messages};
use tokio::time::{Instant, timeout};

use crate::server::TestServer;

/// Successful calls that were reported, as the client or as the server saw them.
fn reported(events: &[Event], from_client: bool) -> i32 {
    let reports = events.iter().filter_map(|event| match event {
        Event::Stat(calls, of_client) if *of_client == from_client => Some(calls),
        _ => None,
    });
    let calls = reports
        .flatten()
        .filter(|(head, _)| head.interface_name == "sayHello");
    calls.map(|(_, body)| body.count).sum()
}

#[tokio::test]
async fn a_server_starts_and_serves_without_its_platform() {
    let mut stand_in = StandIn::start().await;
    stand_in.kill().await;
    let mut server = TestServer::start(&stand_in).await;
    let platform = server.platform();
    platform.config().pull("chat.conf").await.unwrap_err();
    server.serve().await;
    let greeter = server.greeter();
    for _ in 0..3 {
        greeter.say_hello("ted").await.unwrap();
    }
    let status = server.admin().notify("tars.viewstatus").await.unwrap();
    assert!(status.contains("PHPTest.CppServer"), "{status}");

    // It is told what has happened when it is back.
    stand_in.restart().await;
    stand_in
        .wait("restart", |events| {
            messages(events).contains(&"restart").then_some(())
        })
        .await;
    for from_client in [true, false] {
        stand_in
            .wait("all calls", |events| {
                (reported(events, from_client) == 3).then_some(())
            })
            .await;
    }
    server.shut_down_by_node().await;
    server.ended(Duration::from_secs(3)).await;
    stand_in
        .wait("stop", |events| {
            messages(events).contains(&"stop").then_some(())
        })
        .await;
}

#[tokio::test]
async fn statistics_survive_a_restart_of_the_platform() {
    let mut stand_in = StandIn::start().await;
    let mut server = TestServer::start(&stand_in).await;
    server.serve().await;
    let greeter = server.greeter();
    greeter.say_hello("ted").await.unwrap();
    stand_in
        .wait("the first call", |events| {
            (reported(events, false) == 1).then_some(())
        })
        .await;
    stand_in.kill().await;
    for _ in 0..5 {
        greeter.say_hello("amy").await.unwrap();
    }
    stand_in.restart().await;
    stand_in
        .wait("the other calls", |events| {
            (reported(events, false) >= 6).then_some(())
        })
        .await;
    let events = stand_in.services().events().borrow().clone();
    assert_eq!(reported(&events, false), 6, "none is reported twice");
}

#[tokio::test]
async fn a_platform_that_lies_or_is_deaf_does_no_harm() {
    let stand_in = StandIn::start().await;
    stand_in
        .services()
        .set_file("PHPTest", "CppServer", "chat.conf", "", "room=lobby\n");
    let mut server = TestServer::start(&stand_in).await;
    let platform = server.platform();
    let configs = platform.config();
    let good = configs.pull("chat.conf").await.unwrap();
    assert_eq!(good.origin, Origin::Platform { changed: true });
    server.serve().await;
    let greeter = server.greeter();
    for mood in [
        Mood::Wrong,
        Mood::Deaf,
        Mood::Slow(Duration::from_millis(50)),
    ] {
        stand_in.set_mood(mood);
        server
            .log()
            .day("chat", tars_rpc::platform::logs::Rolling::Day)
            .write("a line");
        for _ in 0..10 {
            timeout(Duration::from_secs(5), greeter.say_hello("ted"))
                .await
                .unwrap()
                .unwrap();
        }
        let pulled = platform.config().pull("chat.conf").await.unwrap();
        assert_eq!(pulled.text, good.text, "{mood:?}: the last good copy");
        let is_copy = matches!(pulled.origin, Origin::LastCopy { .. });
        assert!(is_copy || matches!(mood, Mood::Slow(_)), "{mood:?}");
    }
    // The client waits before it connects again to a place that spoke nonsense.
    while let Origin::LastCopy { .. } = configs.pull("chat.conf").await.unwrap().origin {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stand_in.set_mood(Mood::Deaf);
    let began = Instant::now();
    server.shut_down_by_node().await;
    server.ended(Duration::from_secs(3)).await;
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it ends all the same"
    );
}

#[tokio::test]
async fn a_file_that_is_asked_for_too_often_or_is_gone_keeps_its_text() {
    let stand_in = StandIn::start().await;
    let services = stand_in.services();
    services.set_file("PHPTest", "CppServer", "chat.conf", "", "room=lobby\n");
    let server = TestServer::start(&stand_in).await;
    let platform = server.platform();
    let configs = platform.config();
    for n in 0..11 {
        let text = format!("room={n}\n");
        services.set_file("PHPTest", "CppServer", "chat.conf", "", &text);
        assert_eq!(configs.pull("chat.conf").await.unwrap().text, text);
    }
    let reason = "it was asked for too often; try again in a minute".to_owned();
    let pulled = configs.pull("chat.conf").await.unwrap();
    assert_eq!(
        (&*pulled.text, pulled.origin),
        ("room=10\n", Origin::LastCopy { reason })
    );
    let history = server.directory().join("data/config-history/chat.conf");
    assert_eq!(std::fs::read_dir(history).unwrap().count(), 5);

    let gone = configs.pull("gone.conf").await.unwrap_err();
    assert_eq!(
        gone.to_string(),
        "cannot get the config file `gone.conf`: the platform has no such file, or it is empty"
    );
    stand_in
        .wait("notifications", |events| {
            let messages = messages(events);
            let failed = |file: &str| {
                let start = format!("[fail] get remote config '{file}' error:");
                messages.iter().any(|message| message.starts_with(&start))
            };
            (failed("gone.conf") && failed("chat.conf")).then_some(())
        })
        .await;
}

#[tokio::test]
async fn operators_hear_of_panics() {
    let stand_in = StandIn::start().await;
    let mut server = TestServer::start(&stand_in).await;
    server.serve().await;
    server.greeter().say_hello("panic").await.unwrap_err();
    server.shut_down_by_node().await;
    server.ended(Duration::from_secs(3)).await;
    let text = "[error] 1 requests panicked at PHPTest.CppServer.objAdapter";
    stand_in
        .wait(text, |events| {
            messages(events).contains(&text).then_some(())
        })
        .await;
}
