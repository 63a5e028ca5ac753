//! Frames that a TarsPHP client sent, byte by byte to the Rust PHPServer: `fixtures/wire/php-frames.json`.
//!
//! What comes back must decode to what the answers of the real PHPServer decode to. The exceptions are TarsPHP's
//! answers to what it does not know; here the codes of TarsCpp come back.

use std::{fmt::Debug, fs};

use bytes::{Bytes, BytesMut};
use example_server::servant::php_test::php_server::obj::classes::testtafserviceservant::{
    OutStruct, SimpleStruct,
};
use serde_json::Value;
use tars_codec::{
    Decode, FrameSplitter, Input, RequestPacket, ResponsePacket, TupReader, decode_bytes,
};
use tars_tests::start_php_server;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn recorded_clients_are_answered_as_by_tars_php() {
    let address = start_php_server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut seen = 0;
    for item in recorded() {
        let call = item["call"].as_str().unwrap();
        let version = item["iVersion"].as_i64().unwrap();
        let request = unhex(item["request_hex"].as_str().unwrap());
        stream.write_all(&request).await.unwrap();
        let answer = read_packet(&mut stream).await;

        let expected_code = match call {
            "noSuchFunction" => -3,
            "noSuchServant" => -4,
            _ => 0,
        };
        let answer = Answer::new(version, &answer);
        assert_eq!(answer.request_id, 1, "{call} {version}");
        assert_eq!(answer.code, expected_code, "{call} {version}");
        if call == "noSuchFunction" || call == "noSuchServant" {
            let text = &answer.description;
            let named = if call == "noSuchFunction" {
                call
            } else {
                "PHPTest.PHPServer.nope"
            };
            assert!(text.contains(named), "{call} {version}: {text:?}");
        } else if call == "tars_ping" {
            assert!(answer.is_empty(), "{call} {version}");
        } else {
            let recorded = unhex(item["response_hex"].as_str().unwrap()).split_off(4);
            let recorded = Answer::new(version, &recorded.into());
            assert_eq!(
                answer.values(call),
                recorded.values(call),
                "{call} {version}"
            );
        }
        seen += 1;
    }
    assert_eq!(seen, 18);
}

/// All frames in one write: the answers come in any order, each with its values.
#[tokio::test]
async fn recorded_clients_may_send_everything_at_once() {
    let address = start_php_server().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let recorded = recorded();
    let requests: Vec<u8> = recorded
        .iter()
        .flat_map(|item| unhex(item["request_hex"].as_str().unwrap()))
        .collect();
    for byte in requests {
        stream.write_all(&[byte]).await.unwrap();
    }
    for _ in &recorded {
        read_packet(&mut stream).await;
    }
    stream.shutdown().await.unwrap();
    assert_eq!(
        stream.read(&mut [0]).await.unwrap(),
        0,
        "nothing else comes"
    );
}

/// An answer of either shape.
struct Answer {
    request_id: i32,
    code: i32,
    description: String,
    body: Body,
}

enum Body {
    Tars(Bytes),
    Tup(TupReader),
}

impl Answer {
    fn new(version: i64, packet: &Bytes) -> Self {
        // TarsPHP forces the version of an answer that is an error to 1.
        if version == 1 || packet.starts_with(&[0x10, 1]) {
            let packet: ResponsePacket = decode_bytes(packet).unwrap();
            return Self {
                request_id: packet.request_id,
                code: packet.ret,
                description: packet.result_desc,
                body: Body::Tars(packet.body),
            };
        }
        let packet: RequestPacket = decode_bytes(packet).unwrap();
        assert_eq!(i64::from(packet.version), version);
        let code = packet
            .status
            .get("STATUS_RESULT_CODE")
            .map_or(0, |code| code.parse().unwrap());
        Self {
            request_id: packet.request_id,
            code,
            description: packet
                .status
                .get("STATUS_RESULT_DESC")
                .cloned()
                .unwrap_or_default(),
            body: Body::Tup(TupReader::new(&packet.body).unwrap()),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.body {
            Body::Tars(body) => body.is_empty(),
            Body::Tup(body) => body.is_empty(),
        }
    }

    /// The return value and the out parameters, decoded by their types.
    fn values(&self, call: &str) -> Vec<String> {
        match call {
            "sayHelloWorld" => vec![self.value::<String>(2, "outGreetings")],
            "testBasic" => vec![
                self.value::<i32>(0, ""),
                self.value::<bool>(4, "d"),
                self.value::<i32>(5, "e"),
                self.value::<String>(6, "f"),
            ],
            "testStruct" => vec![self.value::<String>(0, ""), self.value::<OutStruct>(3, "d")],
            "testReturn" => vec![self.value::<SimpleStruct>(0, "")],
            "testEmpty" => vec![
                self.value::<i32>(0, ""),
                self.value::<bool>(2, "b1"),
                self.value::<i32>(3, "in2"),
                self.value::<OutStruct>(4, "d"),
                self.value::<Vec<OutStruct>>(5, "v3"),
                self.value::<Vec<i32>>(6, "v4"),
            ],
            "testTafServer" => vec![],
            other => panic!("no signature for {other}"),
        }
    }

    fn value<T: Decode + Debug>(&self, tag: u8, name: &str) -> String {
        let value: Option<T> = match &self.body {
            Body::Tup(body) => body.get(name).unwrap(),
            Body::Tars(body) => {
                let input = Input::shared(body);
                let mut r = input.reader();
                let mut value = None;
                while let Some(head) = r.next_field().unwrap() {
                    if head.tag == tag {
                        r.fill(head, &mut value).unwrap();
                    } else {
                        r.skip(head).unwrap();
                    }
                }
                value
            }
        };
        format!("{name}: {value:?}")
    }
}

async fn read_packet(stream: &mut TcpStream) -> Bytes {
    let mut buf = BytesMut::new();
    loop {
        if let Some(packet) = FrameSplitter::default().split(&mut buf).unwrap() {
            assert!(buf.is_empty(), "one answer at a time");
            return packet;
        }
        // Byte by byte, so that nothing of the next frame is taken.
        let byte = stream.read_u8().await.expect("an answer");
        buf.extend_from_slice(&[byte]);
    }
}

fn recorded() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/wire/php-frames.json");
    serde_json::from_str(&fs::read_to_string(path).expect(path)).expect(path)
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).expect("a hex digit") as u8;
    text.as_bytes()
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}
