//! See `trueup_fuzz::sources`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::sources::check(bytes));
