//! What the fuzz targets assert of any bytes. `fuzz/targets` calls each with new ones, and the test `fuzz_corpus` with
//! those that are kept in `fuzz/corpus`.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use tars_codec::{
    Decode, Fields, FrameError, FrameSplitter, Input, IntoOwned, Limits, RequestPacket,
    ResponsePacket, Result, Struct, StructRef, TupReader, TupWriter, Typed, Value, decode,
    decode_bytes, decode_ref, encode, json, write,
};

use crate::servant::tests::{
    all_types_fast::obj::classes::all_types as fast,
    all_types_server::obj::classes::all_types as all,
};

/// A target: its name, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("borrowed", borrowed),
    ("generated", generated),
    ("json", json),
    ("packet", packet),
    ("splitter", splitter),
    ("tup", tup),
    ("value", value),
];

/// A type to do something with.
trait Generated: Struct + Decode + Typed {}

impl<T: Struct> Generated for T {}

/// Calls a generic function with the type that the first byte chooses, of each module, and the other bytes.
macro_rules! of_each_type {
    ($function:ident, $data:ident, $($module:ident),+) => {
        let Some((which, rest)) = $data.split_first() else {
            return;
        };
        match which % 13 {
            0 => $function::<$($module::Basic),+>(rest),
            1 => $function::<$($module::BigTags),+>(rest),
            2 => $function::<$($module::Containers),+>(rest),
            3 => $function::<$($module::FixedArrays),+>(rest),
            4 => $function::<$($module::InnerNew),+>(rest),
            5 => $function::<$($module::Level1),+>(rest),
            6 => $function::<$($module::OneBytes),+>(rest),
            7 => $function::<$($module::OptionalDefaults),+>(rest),
            8 => $function::<$($module::OptionalPlain),+>(rest),
            9 => $function::<$($module::OuterNew),+>(rest),
            10 => $function::<$($module::OuterOld),+>(rest),
            11 => $function::<$($module::RequireDefaults),+>(rest),
            _ => $function::<$($module::StructKeyMap),+>(rest),
        }
    };
}

/// Generated types, every type of the language: decoding, encoding and decoding again gives the same value, shared
/// bytes decode like copied ones, other Rust types like the usual ones, and what a type takes can be read without it.
pub fn generated(data: &[u8]) {
    of_each_type!(check_generated, data, all, fast);
}

fn check_generated<T: Generated, F: Generated>(data: &[u8]) {
    let shared = Bytes::copy_from_slice(data);
    let value = match decode::<T>(data) {
        Ok(value) => value,
        Err(error) => {
            assert!(error.offset() <= data.len(), "{error}");
            assert_eq!(decode_bytes::<T>(&shared).err().as_ref(), Some(&error));
            assert_eq!(decode_bytes::<F>(&shared).err(), Some(error));
            return;
        }
    };
    let bytes = encoded(&value);
    let again = decode::<T>(&bytes).expect("what was encoded can be decoded");
    // Compared by what they encode to: NaN is not equal to itself.
    assert_eq!(encoded(&again), bytes);
    let fast = decode_bytes::<F>(&shared).expect("other types are the same values");
    assert_eq!(encoded(&fast), bytes);
    let shared = decode_bytes::<T>(&shared).expect("shared bytes are the same bytes");
    assert_eq!(encoded(&shared), bytes);
    Fields::decode(&Input::new(data)).expect("what a type takes is well formed");
}

/// Types that borrow: they are the same values as those that own, or the same errors.
pub fn borrowed(data: &[u8]) {
    let Some((which, rest)) = data.split_first() else {
        return;
    };
    match which % 13 {
        0 => check_borrowed::<all::BasicRef<'_>>(rest),
        1 => check_borrowed::<all::BigTagsRef<'_>>(rest),
        2 => check_borrowed::<all::ContainersRef<'_>>(rest),
        3 => check_borrowed::<all::FixedArraysRef<'_>>(rest),
        4 => check_borrowed::<all::InnerNewRef<'_>>(rest),
        5 => check_borrowed::<all::Level1Ref<'_>>(rest),
        6 => check_borrowed::<all::OneBytesRef<'_>>(rest),
        7 => check_borrowed::<all::OptionalDefaultsRef<'_>>(rest),
        8 => check_borrowed::<all::OptionalPlainRef<'_>>(rest),
        9 => check_borrowed::<all::OuterNewRef<'_>>(rest),
        10 => check_borrowed::<all::OuterOldRef<'_>>(rest),
        11 => check_borrowed::<all::RequireDefaultsRef<'_>>(rest),
        _ => check_borrowed::<all::StructKeyMapRef<'_>>(rest),
    }
}

fn check_borrowed<'a, T>(data: &'a [u8])
where
    T: StructRef<'a> + IntoOwned<T::Owned>,
{
    match (decode_ref::<T>(data), decode::<T::Owned>(data)) {
        (Ok(borrowed), Ok(owned)) => assert_eq!(encoded(&borrowed.into_owned()), encoded(&owned)),
        (borrowed, owned) => assert_eq!(borrowed.err(), owned.err()),
    }
}

/// JSON of generated types: any text is a value or an error, and a value's text is read back to the same text.
pub fn json(data: &[u8]) {
    of_each_type!(check_json, data, all);
}

fn check_json<T: Generated>(data: &[u8]) {
    let read = match std::str::from_utf8(data) {
        Ok(text) => json::from_str::<T>(text),
        Err(_) => decode(data),
    };
    let Ok(value) = read else { return };
    let text = json::to_string(&value).expect("what was read can be written");
    let again = json::from_str::<T>(&text).expect("what was written can be read");
    assert_eq!(json::to_string(&again).as_deref(), Ok(&*text));
}

/// Packets: what decodes encodes to something that decodes alike, and shared bytes decode like copied ones.
pub fn packet(data: &[u8]) {
    check_packet::<RequestPacket>(data);
    check_packet::<ResponsePacket>(data);
}

fn check_packet<T: Struct + PartialEq + Debug>(data: &[u8]) {
    let copied = decode::<T>(data);
    assert_eq!(copied, decode_bytes::<T>(&Bytes::copy_from_slice(data)));
    match copied {
        Ok(value) => assert_eq!(decode::<T>(&encoded(&value)).as_ref(), Ok(&value)),
        Err(error) => {
            assert!(error.offset() <= data.len());
            assert!(!error.to_string().is_empty());
        }
    }
}

/// The frame splitter: however a stream is cut, the same packets come out, or the same error.
///
/// The first byte is a number of cuts, which follow; the stream is the rest.
pub fn splitter(data: &[u8]) {
    let Some((&count, rest)) = data.split_first() else {
        return;
    };
    let (cuts, stream) = rest.split_at(rest.len().min(count.into()));
    let whole = split(stream, &[]);
    assert_eq!(whole, split(stream, cuts));
    let mut joined = Vec::new();
    for packet in &whole.0 {
        assert!(!packet.is_empty() && packet.len() + 4 <= MAX_FRAME);
        joined.extend_from_slice(&(packet.len() as u32 + 4).to_be_bytes());
        joined.extend_from_slice(packet);
    }
    assert!(stream.starts_with(&joined), "nothing is lost or made up");
}

const MAX_FRAME: usize = 300;

/// The packets of a stream that comes in chunks of these sizes, over and over, and how it ends.
fn split(mut stream: &[u8], cuts: &[u8]) -> (Vec<Bytes>, Result<usize, FrameError>) {
    let splitter = FrameSplitter::new(MAX_FRAME);
    let (mut buf, mut packets) = (BytesMut::new(), Vec::new());
    let mut cuts = cuts.iter().map(|&cut| usize::from(cut).max(1)).cycle();
    while !stream.is_empty() {
        let size = cuts.next().unwrap_or(stream.len()).min(stream.len());
        let (chunk, rest) = stream.split_at(size);
        buf.extend_from_slice(chunk);
        stream = rest;
        loop {
            match splitter.split(&mut buf) {
                Ok(Some(packet)) => packets.push(packet),
                Ok(None) => break,
                Err(error) => return (packets, Err(error)),
            }
        }
    }
    (packets, Ok(buf.len()))
}

/// TUP bodies, simple and complex: any bytes are values by name or an error, and what is read can be sent on.
///
/// The first byte is the length of a name, which follows; the body is the rest.
pub fn tup(data: &[u8]) {
    let Some((&len, rest)) = data.split_first() else {
        return;
    };
    let (name, body) = rest.split_at(rest.len().min(len.into()));
    let name = String::from_utf8_lossy(name);
    let body = Bytes::copy_from_slice(body);
    for complex in [false, true] {
        if let Ok(tup) = tup_reader(complex, &body) {
            check_tup(complex, &tup, &name);
        }
    }
}

fn tup_reader(complex: bool, body: &Bytes) -> Result<TupReader> {
    if complex {
        TupReader::complex(body)
    } else {
        TupReader::new(body)
    }
}

fn check_tup(complex: bool, tup: &TupReader, name: &str) {
    let value = tup.get::<Value>(name).map_err(|e| e.to_string());
    let again = tup.get::<Value>(name).map_err(|e| e.to_string());
    assert_eq!(
        format!("{value:?}"),
        format!("{again:?}"),
        "reading changes nothing"
    );
    if tup.tars(name).is_none() {
        assert_eq!(value, Ok(None));
    }
    let Ok(Some(numbers)) = tup.get::<Vec<i32>>(name) else {
        return;
    };
    let mut out = if complex {
        TupWriter::complex()
    } else {
        TupWriter::new()
    };
    out.put(name, &numbers)
        .expect("what was read can be sent on");
    let body = out.finish().expect("one value fits").into();
    let again = tup_reader(complex, &body).expect("what was written can be read");
    assert_eq!(again.get::<Vec<i32>>(name), Ok(Some(numbers)));
}

/// Values without an IDL: what decodes encodes to something that decodes alike, and prints.
pub fn value(data: &[u8]) {
    // A little memory, or the machine runs out of it on lists of lists.
    let limits = Limits::DEFAULT.with_memory(1 << 20);
    let Ok(fields) = Fields::decode(&Input::new(data).with_limits(limits)) else {
        return;
    };
    let bytes = written(&fields);
    // Floats are compared by what they encode to: NaN is not equal to itself.
    let again = Fields::decode(&Input::new(&bytes)).expect("what was encoded can be decoded");
    assert_eq!(written(&again), bytes);
    assert_eq!(again.to_string(), fields.to_string());
}

fn written(fields: &Fields) -> Vec<u8> {
    let mut buf = Vec::new();
    write(&mut buf, |w| fields.encode(w)).expect("what was decoded can be encoded");
    buf
}

fn encoded<T: Struct>(value: &T) -> Vec<u8> {
    encode(value).expect("what was decoded can be encoded")
}
