//! See `trueup_fuzz::front_matter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trueup_fuzz::front_matter::check(bytes));
