//! What was recorded of real runtimes, as it went over the wire. What the recordings leave out (long lists, a build's
//! id) is shortened; nothing is added.

use serde_json::Value;

/// A session of an `OpenClaw` 2026.9.6 gateway with a paired client, oldest frame first.
const SESSION: &str = include_str!("../fixtures/openclaw/session.txt");
/// Errors of `OpenClaw` gateways, one in each line.
const REFUSALS: &str = include_str!("../fixtures/openclaw/refusals.jsonl");

/// What a Hermes 0.19.0 answers to `GET /api/env`: a name with a value, and one whose line is empty.
pub const HERMES_ENV: &str = include_str!("../fixtures/hermes/env.json");

/// The seed of the device key of the recorded session, in hexadecimal.
pub const DEVICE_SEED: &str = "67226bb1794c757c738b8823346f9e5ad00926bb5d7a5730d97bcb573bfac268";
/// The id of that key.
pub const DEVICE_ID: &str = "2ffbc08d9afc4d19f5981b70d41d899763d1b01d635473bed7285918e06efb86";
/// Its public half, in base64url without padding.
pub const DEVICE_PUBLIC_KEY: &str = "qRQye57kfduAA-0WCY7NRXgdRkOomLdwjYY9x-ie2QM";
/// The shared secret of the recorded session.
pub const SECRET: &str = "test-gateway-secret-0123456789abcdef";

/// Who sent a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The gateway.
    Gateway,
    /// The client.
    Client,
}

/// The frames of the recorded session, in order.
pub fn openclaw_session() -> Vec<(Sender, Value)> {
    let frame = |line: &str| {
        let (mark, text) = line.split_once(' ').unwrap();
        let sender = if mark == "<<" { Sender::Gateway } else { Sender::Client };
        (sender, serde_json::from_str(text).unwrap())
    };
    SESSION.lines().map(frame).collect()
}

/// The recorded errors, in order.
pub fn openclaw_refusals() -> Vec<Value> {
    REFUSALS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
