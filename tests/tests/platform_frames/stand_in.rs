//! The stand-in platform of the tests against the real one: each recorded request to a real service is sent to the
//! stand-in, which knows what the real one knew.

use serde_json::Value;
use tars_rpc::platform::EndpointF;
use tars_tests::platform::{Services, StandIn};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    Frame, frames, is_foreign,
    meaning::{Meaning, answer_code},
    peer::{Wire, read_packet},
    relay::function,
    unhex,
};

/// Whether a request is for a version that tars-rpc answers otherwise: it refuses those that do not exist, and takes 2
/// for TUP.
fn is_beyond(frame: &Frame) -> bool {
    matches!(frame.version, 2 | 9)
}

/// Whether the real registry knew of IP groups at the time. The others were recorded before.
fn has_groups(frame: &Frame) -> bool {
    let has = |text: &str| frame.case.contains(text);
    has("IP groups") || has("known station with groups") || has("falls to the caller group rule")
}

#[tokio::test]
async fn the_stand_in_answers_as_the_real_platform() {
    let stand_in = StandIn::start().await;
    let frames = frames("framework-frames.json");
    let made_by_hand = frames.iter().filter(|frame| {
        frame.origin.starts_with("hand-made")
            && !frame.oneway
            && !frame.servant.ends_with("AdminObj")
    });
    let (grouped, plain): (Vec<_>, Vec<_>) = made_by_hand.partition(|frame| has_groups(frame));
    teach(stand_in.services(), &plain);
    let mut compared = compare(&stand_in, &plain).await;
    teach(stand_in.services(), &grouped);
    teach_groups(stand_in.services());
    compared += compare(&stand_in, &grouped).await;
    assert_eq!((compared, plain.len() + grouped.len()), (334, 335));
}

/// How many of the requests the stand-in was sent: all but those beyond it. Each answer must mean what was recorded.
async fn compare(stand_in: &StandIn, frames: &[&Frame]) -> usize {
    let mut stream = TcpStream::connect(stand_in.address()).await.unwrap();
    let mut compared = 0;
    for frame in frames.iter().filter(|frame| !is_beyond(frame)) {
        let name = format!("{} v{} ({})", frame.func, frame.version, frame.case);
        let request = unhex(&frame.request_hex);
        if frame.case.starts_with("call 14 of 14") {
            for _ in 1..14 {
                stream.write_all(&request).await.unwrap();
                read_packet(&mut stream).await.expect(&name);
            }
        }
        stream.write_all(&request).await.unwrap();
        let answer = read_packet(&mut stream).await.expect(&name);
        let wire = Wire::of(frame.version);
        if matches!(frame.code, -1 | -99) {
            // The real services have two codes for a missing argument, by the version of the request.
            assert_eq!(answer_code(wire, &answer), -1, "{name}");
        } else {
            assert_eq!(answer_code(wire, &answer), frame.code, "{name}");
        }
        // A time, which is another one here.
        let is_time = frame.func == "getLatestKeepAliveTime";
        if frame.code == 0 && !is_foreign(frame) && !is_time {
            let function = function(&frame.servant, &frame.func);
            let recorded = unhex(frame.response_hex.as_deref().expect("an answer"));
            let recorded = recorded[4..].to_vec().into();
            let expected = Meaning::answer(function, wire, &recorded);
            assert_eq!(Meaning::answer(function, wire, &answer), expected, "{name}");
        }
        compared += 1;
    }
    compared
}

/// The IP groups that the real registry knew.
fn teach_groups(services: &Services) {
    let mut objects = services.objects();
    objects.set_group("127.0.0.1", 1);
    objects.set_group("127.0.1.3", 2);
    objects.set_near(1, &[2]);
    objects.set_station("station-a", &[1, 2]);
}

/// Puts into the stand-in what the real platform knew.
fn teach(services: &Services, frames: &[&Frame]) {
    // The second tells of inactive endpoints, too; the third of all endpoints of an object that knows no such set.
    for (func, case) in [
        ("findObjectById", ""),
        ("findObjectById4Any", ""),
        ("findObjectByIdInSameSet", "caller set name differs"),
    ] {
        let of_func = |frame: &&&Frame| frame.func == func && frame.case.contains(case);
        for frame in frames
            .iter()
            .filter(of_func)
            .filter(|frame| !is_beyond(frame))
        {
            let (Some(values), Some(object)) = (&frame.values, value(&frame.args, "1", "id"))
            else {
                continue;
            };
            let of = |tag, name| value(values, tag, name).map(endpoints).unwrap_or_default();
            let (active, inactive) = match func {
                "findObjectById" => (of("0", ""), Vec::new()),
                "findObjectById4Any" => (of("2", "activeEp"), of("3", "inactiveEp")),
                _ => (of("3", "activeEp"), of("4", "inactiveEp")),
            };
            let object = object.as_str().expect("a name");
            services.objects().set(object, active, inactive);
        }
    }
    let server = "PHPWebsocketServer";
    for (server, file, node, text) in [
        (
            server,
            "chat.conf",
            "",
            "<chat>\n  room=lobby\n  max=100\n</chat>\n",
        ),
        (server, "node.conf", "", "<chat>\n  a=server\n</chat>\n"),
        (
            server,
            "node.conf",
            "127.0.0.1",
            "<chat>\n  a=node\n</chat>\n",
        ),
        (server, "onlynode.conf", "127.0.0.1", "x=1\n"),
        (server, "plain.json", "", "{\"room\":\"lobby\"}"),
        (server, "bad.conf", "", "<chat>\n  room=lobby\n"),
        (server, "empty.conf", "", ""),
        // The real one joins a file and those that it refers to.
        (
            server,
            "ref.conf",
            "",
            "<app>\n shared=1\n</app>\n\r\n\r\n<own>\n k=v\n</own>\n",
        ),
        ("", "app.conf", "", "<app>\n shared=1\n</app>\n"),
        ("LimitServer", "limit.conf", "", "x=1\n"),
        ("SetServer", "set.conf", "mtt.s.1", "base=mtt.s.1\n"),
    ] {
        services.set_file("PHPTest", server, file, node, text);
    }
    services.deploy("PHPTest.PHPWebsocketServer");
}

/// A value by its tag in version 1, by its name in version 3.
fn value<'a>(values: &'a Value, tag: &str, name: &str) -> Option<&'a Value> {
    values.get(tag).or_else(|| values.get(name)?.get("0"))
}

fn endpoints(values: &Value) -> Vec<EndpointF> {
    let endpoints = values.as_array().unwrap().iter().map(|endpoint| {
        let text = |tag: &str| endpoint[tag].as_str().unwrap_or_default().to_owned();
        let int = |tag: &str| endpoint[tag].as_i64().unwrap_or_default() as i32;
        EndpointF {
            host: text("0"),
            port: int("1"),
            timeout: int("2"),
            istcp: int("3"),
            grid: int("4"),
            groupworkid: int("5"),
            grouprealid: int("6"),
            set_id: text("7"),
            weight: int("11"),
            weight_type: int("12"),
            auth_type: int("13"),
            node_name: text("14"),
            ..EndpointF::default()
        }
    });
    endpoints.collect()
}
