//! The frame splitter: see `tars_fuzz::fuzz::splitter`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::splitter(data));
