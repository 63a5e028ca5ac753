//! What a server of tars-rpc tells the platform, beside what one of TarsCpp told the real one.

use std::{fs, time::Duration};

use serde_json::Value;
use tars_codec::RequestPacket;
use tars_rpc::{
    Communicator,
    config::{ApplicationConfig, Document},
    platform::{
        LiveAdapter, Platform,
        logs::{Rolling, TarsLog},
    },
};
use tars_tests::platform::{Event, StandIn};

use crate::{Frame, frames, meaning::Meaning, packet_of, relay::function, unhex};

/// A request without what differs from run to run: all but the number of the request, and the numbers in it.
fn form(packet: &RequestPacket) -> (Value, String) {
    let function = function(&packet.servant, &packet.func);
    let header = format!(
        "version {} type {} message {:#x} timeout {} s context {:?} status {:?}",
        packet.version,
        packet.packet_type,
        packet.message_type,
        // A call that had to find its servant first has a bit less.
        (packet.timeout + 999) / 1000,
        packet.context,
        packet.status,
    );
    (Meaning::arguments(function, packet).skeleton(), header)
}

/// Requests of C++ servers.
fn of_tars_cpp(frames: &[Frame]) -> Vec<RequestPacket> {
    let frames = frames
        .iter()
        .filter(|frame| frame.case.contains("real C++ server"));
    let captured = frames.filter(|frame| frame.origin.starts_with("captured"));
    captured
        .map(|frame| packet_of(&unhex(&frame.request_hex)))
        .collect()
}

#[tokio::test]
async fn a_server_tells_the_platform_what_one_of_tars_cpp_does() {
    let stand_in = StandIn::start().await;
    let directory = tempfile::tempdir().unwrap();
    // The server of which the recordings have most.
    let file = format!(
        "{}/fixtures/config/PHPTest.CppServer.config.conf",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = fs::read_to_string(file)
        .unwrap()
        .replace("CppServer", "ProbeServer");
    let mut document = Document::parse(text).unwrap();
    let path = directory.path().display().to_string();
    for (key, value) in [
        (
            "server<node>",
            stand_in.endpoint_of("tars.tarsnode.ServerObj"),
        ),
        ("server<basepath>", path.clone()),
        ("server<datapath>", path.clone()),
        ("server<logpath>", path),
        (
            "client<locator>",
            stand_in.endpoint_of("tars.tarsregistry.QueryObj"),
        ),
        ("client<report-interval>", "100".to_owned()),
    ] {
        document
            .set(&format!("/tars/application/{key}"), &value)
            .unwrap();
    }
    let services = stand_in.services();
    services.set_file(
        "PHPTest",
        "ProbeServer",
        "chat.conf",
        "",
        "<chat>\n room=lobby\n</chat>\n",
    );

    let config = ApplicationConfig::new(&document).unwrap();
    let communicator = Communicator::from_config(&config).unwrap();
    let log = TarsLog::open(config.server.as_ref().unwrap()).unwrap();
    let platform = Platform::builder(&config, &communicator).log(&log).start();
    stand_in
        .wait("keepActiving", |events| (!events.is_empty()).then_some(()))
        .await;
    platform.config().pull("chat.conf").await.unwrap();
    let adapter = LiveAdapter::new("PHPTest.ProbeServer.objAdapter");
    platform.serving([adapter.stats(Default::default())]);
    log.day("probe", Rolling::Hour).write("remote line 1");
    platform.recorder().request_ended(
        "tars_ping",
        [127, 0, 0, 1].into(),
        Duration::from_millis(1),
        0,
    );
    stand_in
        .wait("all kinds of reports", |events| {
            let kinds: [fn(&Event) -> bool; 6] = [
                |event| matches!(event, Event::KeepAlive(info) if info.adapter == "AdminAdapter"),
                |event| matches!(event, Event::Version(_)),
                |event| matches!(event, Event::Notify(info) if info.s_message == "restart"),
                |event| matches!(event, Event::Log(..)),
                |event| matches!(event, Event::Stat(_, true)),
                |event| matches!(event, Event::Property(_)),
            ];
            kinds
                .iter()
                .all(|kind| events.iter().any(kind))
                .then_some(())
        })
        .await;

    let ours = stand_in.packets();
    let theirs = of_tars_cpp(&frames("framework-frames.json"));
    let forms = |packets: &[RequestPacket], func: &str| -> Vec<(Value, String)> {
        let packets = packets.iter().filter(|packet| packet.func == func);
        packets.map(form).collect()
    };
    for (func, wanted) in [
        ("keepActiving", "ProbeServer"),
        ("reportVersion", "ProbeServer"),
        ("keepAlive", "ProbeServer"),
        ("loadConfig", "chat.conf"),
        ("reportNotifyInfo", "\"restart\""),
        ("reportNotifyInfo", "[succ] get remote config:chat.conf"),
        ("loggerbyInfo", "\"probe\""),
    ] {
        let (ours, theirs) = (forms(&ours, func), forms(&theirs, func));
        let is_wanted = |form: &&(Value, String)| {
            let text = form.0.to_string();
            text.contains(wanted) && text.contains("ProbeServer")
        };
        let their = theirs.iter().find(is_wanted).expect(func);
        assert!(
            ours.contains(their),
            "{func} {wanted}: not {their:#?}\nbut {ours:#?}"
        );
    }
    // Of maps, an entry.
    for (func, wanted) in [
        ("reportMicMsg", "findObjectByIdInSameGroup"),
        ("reportMicMsg", "stat_from_server"),
        ("reportPropMsg", "PHPTest.ProbeServer.objAdapter.timeoutNum"),
        (
            "reportPropMsg",
            "PHPTest.ProbeServer.objAdapter.servantHandleTime",
        ),
        (
            "reportPropMsg",
            "PHPTest.ProbeServer.objAdapter.queueWaitTime",
        ),
    ] {
        let entries = |packets: &[RequestPacket]| -> Vec<(Value, String)> {
            let forms = forms(packets, func).into_iter();
            let entries = forms.flat_map(|(arguments, header)| {
                let arguments = arguments.as_object().unwrap().clone();
                let maps = arguments
                    .into_iter()
                    .filter_map(|(_, map)| Some(map.as_array()?.clone()));
                let entries: Vec<_> = maps.flatten().collect();
                entries
                    .into_iter()
                    .map(move |entry| (entry, header.clone()))
            });
            entries.collect()
        };
        let is_wanted = |entry: &&(Value, String)| entry.0.to_string().contains(wanted);
        let (ours, theirs) = (entries(&ours), entries(&theirs));
        let their: Vec<_> = theirs
            .iter()
            .filter(is_wanted)
            .map(|(entry, header)| {
                let entry: Value = entry
                    .to_string()
                    .replace("CppServer", "ProbeServer")
                    .parse()
                    .unwrap();
                (entry, header.clone())
            })
            .collect();
        let our = ours
            .iter()
            .find(is_wanted)
            .unwrap_or_else(|| panic!("{wanted}: {ours:#?}"));
        assert!(
            their.contains(our),
            "{func} {wanted}: not {their:#?}\nbut {our:#?}"
        );
    }
    platform.stop(Duration::from_secs(1)).await;
}
