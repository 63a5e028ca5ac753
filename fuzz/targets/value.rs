//! Values without an IDL: see `tars_tests::fuzz::value`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_tests::fuzz::value(data));
