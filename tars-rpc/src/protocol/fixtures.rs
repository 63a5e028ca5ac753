//! Frames that official peers wrote, for the tests of both sides.

use tars_codec::{Bytes, Struct, decode_bytes};

/// A recorded call: what was sent, and what came back, if anything did.
pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) request: Vec<u8>,
    pub(crate) response: Vec<u8>,
}

/// Calls of TarsPHP's client to TarsPHP's example server.
pub(crate) fn php() -> Vec<Recorded> {
    let frames = parse(include_str!("../../../tests/fixtures/wire/php-frames.json"));
    let recorded = frames.iter().map(|frame| Recorded {
        name: text(frame, "call"),
        version: frame["iVersion"].as_i64().unwrap(),
        request: hex(&text(frame, "request_hex")),
        response: hex(&text(frame, "response_hex")),
    });
    recorded.collect()
}

/// Unusual requests to TarsPHP's example server.
pub(crate) fn php_extra() -> Vec<Recorded> {
    let frames = parse(include_str!(
        "../../../tests/fixtures/wire/php-extra-frames.json"
    ));
    let recorded = frames.iter().map(|frame| Recorded {
        name: text(frame, "case"),
        version: 0,
        request: hex(&text(frame, "request_hex")),
        response: hex(&text(frame, "response_hex")),
    });
    recorded.collect()
}

/// A frame that TarsCpp wrote.
pub(crate) fn cpp(name: &str) -> Vec<u8> {
    // Found as text: some vectors have numbers that no JSON parser takes.
    let vectors = include_str!("../../../tests/fixtures/wire/vectors.json");
    let name = format!("\"name\": \"{name}\"");
    let (_, vector) = vectors.split_once(&name).expect("a vector of that name");
    let (_, hex_and_rest) = vector.split_once("\"hex\": \"").expect("its bytes");
    let (digits, _) = hex_and_rest.split_once('"').expect("their end");
    hex(digits)
}

/// The packet of a frame.
pub(crate) fn packet<T: Struct>(frame: &[u8]) -> T {
    let (len, packet) = frame.split_first_chunk().unwrap();
    assert_eq!(u32::from_be_bytes(*len) as usize, frame.len());
    decode_bytes(&Bytes::copy_from_slice(packet)).unwrap()
}

fn parse(json: &str) -> Vec<serde_json::Value> {
    serde_json::from_str(json).unwrap()
}

fn text(value: &serde_json::Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16).unwrap()).collect();
    let bytes = digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]);
    bytes.map(|byte| u8::try_from(byte).unwrap()).collect()
}
