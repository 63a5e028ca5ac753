//! The transcripts of the real TarsPHP server, replayed. Where this server answers otherwise, the
//! difference is a line here: nothing differs that is not listed, and nothing listed agrees.

mod common;

use common::{Chat, Client, start};
use futures_util::SinkExt as _;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

const WEBSOCKET: &str = include_str!("../../tests/fixtures/chat/tarsphp-websocket.json");
const HTTP: &str = include_str!("../../tests/fixtures/chat/tarsphp-http.json");

/// What is sent here instead, to the sender and to a second connection that looks on. `None`: as in
/// the transcript.
struct Difference {
    step: &'static str,
    why: &'static str,
    sender: Option<&'static [&'static str]>,
    others: &'static [(&'static str, &'static [&'static str])],
}

const fn differs(
    step: &'static str,
    why: &'static str,
    sender: &'static [&'static str],
    others: &'static [(&'static str, &'static [&'static str])],
) -> Difference {
    Difference {
        step,
        why,
        sender: Some(sender),
        others,
    }
}

const NOBODY_ELSE: &[(&str, &[&str])] = &[
    ("a_receives", &[]),
    ("b_receives", &[]),
    ("c_receives", &[]),
];

/// In the transcript the sender of the steps after `unknown` is a, unless the step says otherwise.
const DIFFERENCES: &[Difference] = &[
    Difference {
        step: "sendByRoom room1 from c (not a member)",
        why: "a second subscribe changes nothing",
        sender: None,
        others: &[("b_receives", &["Nice to see u guys!"])],
    },
    Difference {
        step: "sendByRoom room1 from a (member)",
        why: "a second subscribe changes nothing",
        sender: None,
        others: &[("b_receives", &["m2"])],
    },
    Difference {
        step: "sendByRoom after b unsubscribed once",
        why: "one unsubscribe leaves the room",
        sender: None,
        others: &[("b_receives", &[])],
    },
    differs(
        "malformed json sendByRoom",
        "malformed",
        &["Error: malformed JSON: *"],
        NOBODY_ELSE,
    ),
    differs(
        "malformed json broadcast",
        "malformed",
        &["Error: malformed JSON: *"],
        NOBODY_ELSE,
    ),
    differs(
        "json without message broadcast",
        "no message",
        &["Error: message is missing"],
        NOBODY_ELSE,
    ),
    differs(
        "json containing a pipe",
        "the argument is all after the first |",
        &["a|b", "Broadcast success!"],
        &[
            ("a_receives", &["a|b"]),
            ("b_receives", &["a|b"]),
            ("c_receives", &["a|b"]),
        ],
    ),
    differs(
        "missing arg subscribe",
        "no room",
        &["Error: subscribe needs a room"],
        NOBODY_ELSE,
    ),
    differs(
        "missing arg unsubscribe",
        "no room",
        &["Error: unsubscribe needs a room"],
        NOBODY_ELSE,
    ),
    differs(
        "missing arg sendByRoom",
        "no argument",
        &["Error: sendByRoom needs a JSON object"],
        NOBODY_ELSE,
    ),
    differs(
        "missing arg broadcast",
        "no argument",
        &["Error: broadcast needs a JSON object"],
        NOBODY_ELSE,
    ),
    differs(
        "array message",
        "an array is no message",
        &["Error: message must be a string or a number"],
        NOBODY_ELSE,
    ),
];

/// The three clients of the transcript.
struct Clients([Client; 3]);

impl Clients {
    async fn connect(chat: &Chat) -> Self {
        Self([
            chat.connect().await,
            chat.connect().await,
            chat.connect().await,
        ])
    }

    fn by_key(&mut self, key: &str) -> &mut Client {
        let index = key
            .bytes()
            .next()
            .map_or(0, |letter| usize::from(letter - b'a'));
        &mut self.0[index]
    }
}

fn steps(json: &str) -> Vec<Value> {
    serde_json::from_str(json).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

/// Who sends a step: the one in parentheses or after `from`, else a, or c where all of a, b watch.
fn sender(step: &Value) -> &'static str {
    let receives = |key: &str| step.get(key).is_some();
    match (
        receives("a_receives"),
        receives("b_receives"),
        receives("c_receives"),
    ) {
        (false, _, _) => "a",
        (true, false, _) => "b",
        (true, true, _) => "c",
    }
}

fn matches(expected: &str, got: &str) -> bool {
    match expected.strip_suffix('*') {
        Some(prefix) => got.starts_with(prefix),
        None => got == expected,
    }
}

fn assert_received(step: &str, who: &str, expected: &[String], got: &[String]) {
    let equal = expected.len() == got.len()
        && expected
            .iter()
            .zip(got)
            .all(|(expected, got)| matches(expected, got));
    assert!(
        equal,
        "{step}: {who} received {got:?}, expected {expected:?}"
    );
}

#[tokio::test]
async fn the_websocket_transcript() {
    let chat = start("").await;
    let mut clients = Clients::connect(&chat).await;
    let mut used = Vec::new();
    for step in steps(WEBSOCKET) {
        let name = step["step"].as_str().unwrap();
        // The handshake's headers are tested with the handshake; files of the store are TarsPHP's.
        let Some(send) = step.get("send") else {
            assert!(
                name == "handshake" || name.starts_with("store after"),
                "{name}"
            );
            continue;
        };
        let mut receives: Vec<(&str, Vec<String>)> = ["a_receives", "b_receives", "c_receives"]
            .into_iter()
            .filter_map(|key| Some((key, strings(step.get(key)?))))
            .collect();
        let mut expected = strings(&step["sender_receives"]);
        let mut from = sender(&step);
        if name == "sendByRoom int roomNum" {
            from = "c"; // b is in no room "1", and a, who is, does not send it.
        }
        if let Some(difference) = DIFFERENCES
            .iter()
            .find(|difference| difference.step == name)
        {
            used.push(name.to_owned());
            let as_strings = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
            let before = (expected.clone(), receives.clone());
            if let Some(sender) = difference.sender {
                expected = as_strings(sender);
            }
            for (key, texts) in &mut receives {
                if let Some((_, others)) = difference.others.iter().find(|(other, _)| other == key)
                {
                    *texts = as_strings(others);
                }
            }
            assert_ne!(
                (expected.clone(), receives.clone()),
                before,
                "{name}: {}",
                difference.why
            );
        }
        let client = clients.by_key(from);
        match send {
            Value::String(text) => client.send(text).await,
            bytes => {
                let hex = bytes["bytes_hex"].as_str().unwrap();
                let bytes: Vec<u8> = (0..hex.len())
                    .step_by(2)
                    .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
                    .collect();
                client.socket.send(Message::binary(bytes)).await.unwrap();
            }
        }
        let mut got = Vec::new();
        while got.len() < expected.len() {
            got.push(client.next().await);
        }
        got.extend(client.received().await);
        assert_received(name, "the sender", &expected, &got);
        for (key, texts) in &receives {
            if !key.starts_with(from) {
                assert_received(name, key, texts, &clients.by_key(key).received().await);
            }
        }
    }
    let listed: Vec<_> = DIFFERENCES
        .iter()
        .map(|difference| difference.step)
        .collect();
    assert_eq!(used, listed, "each listed difference is met once");
}

/// Differences of HTTP: the step, the status here and the body here.
const HTTP_DIFFERENCES: &[(&str, u16, &str)] = &[
    (
        "HTTP GET /Index/pushAll",
        400,
        "Error: missing parameter: message",
    ),
    ("HTTP GET /Index/nope", 404, "not found"),
    ("HTTP GET /Nope/index", 404, "not found"),
    ("HTTP GET /", 200, "<!doctype html>*"),
    ("HTTP GET /Index", 404, "not found"),
    ("HTTP GET /monitor/monitor", 200, "{\"code\":0}"),
];

#[tokio::test]
async fn the_http_transcript() {
    let chat = start("").await;
    let mut clients = Clients::connect(&chat).await;
    clients.0[0].ask("subscribe|room1").await;
    let mut used = Vec::new();
    for step in steps(HTTP) {
        let name = step["step"].as_str().unwrap();
        let request = step["request"].as_str().unwrap();
        let host = format!("Host: {}\r\nConnection: close", chat.address);
        let answer = chat
            .http(&request.replace("Host: 127.0.0.1:20003", &host))
            .await;
        let (_, body) = step["response"]
            .as_str()
            .unwrap()
            .split_once("\r\n\r\n")
            .unwrap();
        let difference = HTTP_DIFFERENCES.iter().find(|(step, ..)| *step == name);
        let (status, body) = match difference {
            Some((_, status, body)) => {
                used.push(name.to_owned());
                (*status, *body)
            }
            None => (200, body),
        };
        assert_eq!(answer.status, status, "{name}");
        assert!(matches(body, answer.body.trim()), "{name}: {}", answer.body);
        for key in ["a_receives", "b_receives", "c_receives"] {
            let expected = if status == 400 {
                Vec::new()
            } else {
                strings(&step[key])
            };
            assert_received(name, key, &expected, &clients.by_key(key).received().await);
        }
    }
    let listed: Vec<_> = HTTP_DIFFERENCES.iter().map(|(step, ..)| *step).collect();
    assert_eq!(used, listed, "each listed difference is met once");
}
