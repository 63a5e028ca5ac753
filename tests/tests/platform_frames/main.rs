//! The platform's servants in generated code, against the real ones: `fixtures/wire/framework-frames.json` has calls
//! to the services of TarsFramework and what its components and the C++ SDK send, `platform-frames.json` what a
//! TarsPHP server sends.
//!
//! Each recorded request goes through a relay: a server that hands the typed arguments to a client. What the client
//! sends must mean what was recorded; it gets the recorded answer, and what the server makes of the typed answer must
//! mean what was recorded, too.

mod admin;
mod meaning;
mod peer;
mod relay;
mod sent;
mod stand_in;

use std::{collections::BTreeMap, fs};

use serde::Deserialize;
use serde_json::Value;
use tars_rpc::{Version, client::CallOptions};

use crate::{
    meaning::{Meaning, answer_code, packet_of},
    peer::{Peer, Wire},
    relay::{Relay, function},
};

/// A recorded call.
#[derive(Deserialize)]
struct Frame {
    servant: String,
    func: String,
    #[serde(rename = "iVersion")]
    version: i16,
    #[serde(default)]
    case: String,
    /// Who sent it.
    #[serde(default)]
    origin: String,
    #[serde(default)]
    oneway: bool,
    /// The arguments, as another decoder reads them: by tag, in TUP by name.
    args: Value,
    /// The return code of the answer.
    #[serde(default)]
    code: i32,
    /// Return value and out parameters, as another decoder reads them.
    #[serde(default)]
    values: Option<Value>,
    request_hex: String,
    response_hex: Option<String>,
}

/// Functions that are no part of an interface, and a version that does not exist.
fn is_foreign(frame: &Frame) -> bool {
    matches!(frame.func.as_str(), "tars_ping" | "noSuchFunction") || frame.version == 9
}

#[tokio::test]
async fn calls_of_the_real_platform_pass_through_generated_code() {
    let frames = frames("framework-frames.json");
    let foreign = frames.iter().filter(|frame| is_foreign(frame)).count();
    let relayed = relay(&frames).await;
    assert_eq!((foreign, relayed.calls), (38, 429));
    // What TarsCpp sent comes out with its bytes, but for optional bools and enums that have their default, which it
    // writes all the same (docs/DESIGN.md).
    assert_eq!(relayed.same_bytes, 74);
    let other = [("loggerbyInfo", 2), ("reportNotifyInfo", 10)];
    assert_eq!(relayed.other_bytes, BTreeMap::from(other));
}

#[tokio::test]
async fn calls_of_tars_php_pass_through_generated_code() {
    assert_eq!(relay(&frames("platform-frames.json")).await.calls, 21);
}

#[derive(Default)]
struct Relayed<'a> {
    calls: usize,
    /// Requests of the C++ SDK that the client of this project writes with the same bytes.
    same_bytes: usize,
    /// Those that it does not, by function.
    other_bytes: BTreeMap<&'a str, usize>,
}

async fn relay(frames: &[Frame]) -> Relayed<'_> {
    let mut peer = Peer::start().await;
    let mut relay = Relay::start(peer.address()).await;
    let mut relayed = Relayed::default();
    let mut well_formed: BTreeMap<(&str, i16), &Frame> = BTreeMap::new();
    for frame in frames.iter().filter(|frame| !is_foreign(frame)) {
        let name = format!(
            "{} {} v{} ({})",
            frame.servant, frame.func, frame.version, frame.case
        );
        let function = function(&frame.servant, &frame.func);
        // Of a request without its arguments, only the answer matters.
        let malformed = matches!(frame.code, -1 | -99);
        let sent = if malformed {
            well_formed[&(frame.func.as_str(), frame.version)]
        } else {
            frame
        };
        let wire = Wire::of(frame.version);
        let version = match wire {
            Wire::Tars => Version::Tars,
            Wire::Tup => Version::Tup,
        };
        let options = CallOptions::new().version(version);
        relay.set_options(if frame.oneway {
            options.oneway()
        } else {
            options
        });

        let request = packet_of(&unhex(&sent.request_hex));
        relay.send(&request).await;
        let asked = peer.request().await;
        let meaning = Meaning::arguments(function, &request);
        assert_eq!(
            Meaning::arguments(function, &asked.packet),
            meaning,
            "{name}"
        );
        assert_eq!(
            Meaning::decoded(function, &sent.args, false),
            meaning,
            "{name}"
        );
        if frame.origin.starts_with("captured") && frame.version == 1 {
            if request.body.starts_with(&asked.packet.body) {
                // A synchronous TarsCpp client also sends its out parameters, after the others.
                relayed.same_bytes += 1;
            } else {
                *relayed.other_bytes.entry(&frame.func).or_default() += 1;
            }
        }

        if !frame.oneway {
            let recorded = unhex(frame.response_hex.as_deref().expect("an answer"));
            let recorded = recorded.get(4..).expect("a packet");
            asked.answer(wire, recorded);
            let answer = relay.answer().await;
            let recorded = recorded.to_vec().into();
            assert_eq!(answer_code(wire, &answer), frame.code, "{name}");
            assert_eq!(answer_code(wire, &recorded), frame.code, "{name}");
            let meaning = Meaning::answer(function, wire, &recorded);
            assert_eq!(Meaning::answer(function, wire, &answer), meaning, "{name}");
            if let Some(values) = &frame.values {
                assert_eq!(Meaning::decoded(function, values, true), meaning, "{name}");
            }
        }
        relayed.calls += 1;
        if !malformed {
            well_formed.insert((&frame.func, frame.version), frame);
        }
    }
    relayed
}

fn frames(file: &str) -> Vec<Frame> {
    let path = format!("{}/fixtures/wire/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(&path).expect(&path)).expect(&path)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).expect("a hex digit") as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}
