//! Generated types: see `tars_fuzz::fuzz::generated`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::generated(data));
