//! Packets: see `tars_fuzz::fuzz::packet`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::packet(data));
