#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| watchpost_transport::fuzzing::request_state(input));
