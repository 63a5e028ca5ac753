//! TUP bodies: see `tars_tests::fuzz::tup`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_tests::fuzz::tup(data));
