//! Generated types, every type of the language: decode, encode, decode is the same value.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use tars_codec::{Struct, decode, decode_bytes, encode};
use tars_tests::servant::tests::all_types_server::obj::classes::all_types::{
    BigTags, Containers, FixedArrays, Level1, OptionalDefaults, OptionalPlain, OuterNew, OuterOld, StructKeyMap,
};

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else {
        return;
    };
    match which % 9 {
        0 => check::<BigTags>(data),
        1 => check::<Containers>(data),
        2 => check::<FixedArrays>(data),
        3 => check::<Level1>(data),
        4 => check::<OptionalDefaults>(data),
        5 => check::<OptionalPlain>(data),
        6 => check::<OuterNew>(data),
        7 => check::<OuterOld>(data),
        _ => check::<StructKeyMap>(data),
    }
});

fn check<T: Struct>(data: &[u8]) {
    let Ok(value) = decode::<T>(data) else {
        return;
    };
    let bytes = encode(&value).expect("what was decoded can be encoded");
    let again = decode::<T>(&bytes).expect("what was encoded can be decoded");
    // Compared by what they encode to: NaN is not equal to itself.
    assert_eq!(encode(&again).expect("the same again"), bytes);
    assert!(decode_bytes::<T>(&Bytes::copy_from_slice(data)).is_ok());
}
