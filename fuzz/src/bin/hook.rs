//! See `trueup_fuzz::hook`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::hook::check(bytes));
