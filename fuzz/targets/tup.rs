//! TUP bodies: any bytes are values by name, or an error.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tars_codec::{TupReader, Value};

fuzz_target!(|data: (String, Vec<u8>)| {
    let (name, body) = data;
    let Ok(tup) = TupReader::new(&Bytes::from(body)) else {
        return;
    };
    let first = tup.get::<Value>(&name).map_err(|e| e.to_string());
    let second = tup.get::<Value>(&name).map_err(|e| e.to_string());
    assert_eq!(format!("{first:?}"), format!("{second:?}"), "reading changes nothing");
});
