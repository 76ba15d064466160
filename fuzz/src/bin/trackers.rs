//! See `trueup_fuzz::trackers`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::trackers::check(bytes));
