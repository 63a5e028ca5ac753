//! Values without an IDL: what decodes encodes to something that decodes alike, and prints.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tars_codec::{Fields, Input, Limits, Writer};

fuzz_target!(|data: &[u8]| {
    // A little memory, or the machine runs out of it on lists of lists.
    let limits = Limits::DEFAULT.with_memory(1 << 20);
    let Ok(fields) = Fields::decode(&Input::new(data).with_limits(limits)) else {
        return;
    };
    let bytes = write(&fields);
    // Floats are compared by what they encode to: NaN is not equal to itself.
    let again = Fields::decode(&Input::new(&bytes)).expect("what was encoded can be decoded");
    assert_eq!(write(&again), bytes);
    assert_eq!(again.to_string(), fields.to_string());
});

fn write(fields: &Fields) -> Vec<u8> {
    let mut buf = Vec::new();
    let mut w = Writer::new(&mut buf);
    fields.encode(&mut w);
    w.finish().expect("what was decoded can be encoded");
    buf
}
