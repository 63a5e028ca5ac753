//! Types that borrow beside those that own: see `tars_fuzz::fuzz::borrowed`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tars_fuzz::fuzz::borrowed(data));
