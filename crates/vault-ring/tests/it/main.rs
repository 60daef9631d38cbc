#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![doc = "Tests of the vault, the keyring and the digests over real files."]

mod check;
mod digest;
mod envelope;
mod keyring_file;
mod known_answer;
mod rotation;
mod secrecy;
mod support;
