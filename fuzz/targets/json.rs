//! JSON of generated types: see `tars_tests::fuzz::json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_tests::fuzz::json(data));
