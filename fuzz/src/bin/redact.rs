//! See `trueup_fuzz::redact`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::redact::check(bytes));
