//! A runtime and somebody who speaks to it.

use std::net::SocketAddr;

use nora_kernel::Secret;
use nora_reference_runtime::{Config, RunningRuntime};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const TOKEN: &str = "runtime-token-0123456789";
pub(crate) const AGENT: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
pub(crate) const OTHER_AGENT: &str = "b1b2c3d4-e5f6-7890-abcd-ef1234567890";

pub(crate) fn config() -> Config {
    Config::on_loopback(Secret::new(TOKEN.to_owned()))
}

pub(crate) fn runtime() -> RunningRuntime {
    RunningRuntime::start(config()).unwrap()
}

/// An answer: its status, and its body as JSON where it is JSON.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

pub(crate) fn answer(status: u16, body: Value) -> Answer {
    Answer { status, body }
}

/// Sends one request over a connection of its own; an error if the connection is cut.
pub(crate) async fn exchange(
    address: SocketAddr,
    head: &str,
    token: Option<&str>,
    body: &[u8],
) -> std::io::Result<Answer> {
    let mut stream = TcpStream::connect(address).await?;
    let authorization = token.map_or(String::new(), |token| format!("authorization: Bearer {token}\r\n"));
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nhost: runtime\r\nconnection: close\r\n{authorization}content-length: {length}\r\n\r\n"
    );
    stream.write_all(&[request.as_bytes(), body].concat()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
}

pub(crate) async fn post(runtime: &RunningRuntime, path: &str, body: &Value) -> Answer {
    exchange(runtime.address(), &format!("POST {path}"), Some(TOKEN), body.to_string().as_bytes()).await.unwrap()
}

pub(crate) async fn get(runtime: &RunningRuntime, path: &str, token: Option<&str>) -> Answer {
    exchange(runtime.address(), &format!("GET {path}"), token, b"").await.unwrap()
}

pub(crate) fn sha256(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

/// The digest of a value whose members are written in order and which holds no numbers but small integers.
pub(crate) fn digest(value: &Value) -> String {
    sha256(&value.to_string())
}

/// A push of `env` with one integration.
pub(crate) fn push(agent: &str, generation: u64, env: &Value) -> Value {
    let integrations = json!([{ "id": "0190a000-0000-7000-8000-000000000001", "provider": "slack" }]);
    json!({
        "agent_id": agent,
        "generation": generation,
        "digest": digest(&json!({ "env": env, "integrations": integrations })),
        "integrations": integrations,
        "env": env,
    })
}

pub(crate) fn confirmed(generation: u64) -> Answer {
    answer(200, json!({ "synced": true, "count": 1, "generation": generation }))
}
