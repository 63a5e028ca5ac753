//! Values without an IDL: see `tars_fuzz::fuzz::value`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::value(data));
