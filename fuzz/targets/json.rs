//! JSON of generated types: see `tars_fuzz::fuzz::json`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::json(data));
