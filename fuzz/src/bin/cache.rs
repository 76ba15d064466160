//! See `trueup_fuzz::cache`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::cache::check(bytes));
