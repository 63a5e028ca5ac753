//! The frame splitter: see `tars_tests::fuzz::splitter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_tests::fuzz::splitter(data));
