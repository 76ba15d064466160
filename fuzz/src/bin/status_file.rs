//! See `trueup_fuzz::status_file`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::status_file::check(bytes));
