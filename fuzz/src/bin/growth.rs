//! See `trueup_fuzz::growth`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::growth::check(bytes));
