//! TUP bodies: see `tars_fuzz::fuzz::tup`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::tup(data));
