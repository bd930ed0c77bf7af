#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| stead_server::fuzz::forms(input));
