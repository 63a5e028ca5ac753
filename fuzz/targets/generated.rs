//! Generated types: see `tars_tests::fuzz::generated`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_tests::fuzz::generated(data));
