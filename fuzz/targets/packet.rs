//! Packets: what decodes encodes to something that decodes alike, and shared bytes decode like copied ones.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tars_codec::{RequestPacket, ResponsePacket, Struct, decode, decode_bytes, encode};

fuzz_target!(|data: &[u8]| {
    check::<RequestPacket>(data);
    check::<ResponsePacket>(data);
});

fn check<T: Struct + PartialEq + std::fmt::Debug>(data: &[u8]) {
    let copied = decode::<T>(data);
    assert_eq!(copied, decode_bytes::<T>(&Bytes::copy_from_slice(data)));
    match copied {
        Ok(value) => {
            let bytes = encode(&value).expect("what was decoded can be encoded");
            assert_eq!(decode::<T>(&bytes).as_ref(), Ok(&value));
        }
        Err(error) => {
            assert!(error.offset() <= data.len());
            assert!(!error.to_string().is_empty());
        }
    }
}
