#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nora_fuzz::run("signature_list", data));
