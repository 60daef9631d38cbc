//! What the scenarios ask for: agents by number, and requests about them.

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::Full;
use serde_json::{Value, json};
use uuid::Uuid;

/// The providers an agent is connected to when the world is made, each with a credential of the usual length.
pub(crate) const PROVIDERS: [(&str, &str); 5] = [
    ("slack", "xoxb-000000000000-0000000000000-abcdefghijklmnopqrstuvwx"),
    ("github", "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    ("notion", "ntn_abcdefghijklmnopqrstuvwxyz0123456789abcdefghij"),
    ("linear", "lin_api_abcdefghijklmnopqrstuvwxyz0123456789abcd"),
    ("stripe", "sk_live_abcdefghijklmnopqrstuvwxyz"),
];

const AGENTS: u128 = 0xbe9c_4000_0000_7000_8000_0000_0000_0000;

/// The agent with a number.
pub(crate) fn agent(number: u64) -> Uuid {
    Uuid::from_u128(AGENTS + u128::from(number))
}

pub(crate) fn get(path: &str, key: &str) -> Request<Full<Bytes>> {
    request(Method::GET, path, key, Bytes::new())
}

pub(crate) fn post(path: &str, key: &str, body: &Value) -> Request<Full<Bytes>> {
    request(Method::POST, path, key, body.to_string().into())
}

/// Puts an agent into a runtime that listens at this URL.
pub(crate) fn create_agent(number: u64, runtime: &str, key: &str) -> Request<Full<Bytes>> {
    let id = agent(number);
    let runtime = json!({ "kind": "nora", "url": format!("{runtime}/{id}"), "token": "a-runtime-token" });
    post("/api/agents", key, &json!({ "id": id, "name": format!("Agent {number}"), "runtime": runtime }))
}

/// Connects an agent to one of the providers.
pub(crate) fn connect(agent_number: u64, provider: usize, label: &str, key: &str) -> Request<Full<Bytes>> {
    let (provider, token) = PROVIDERS.get(provider % PROVIDERS.len()).copied().unwrap_or_default();
    let body = json!({ "provider": provider, "token": token, "label": label });
    post(&integrations(agent(agent_number)), key, &body)
}

pub(crate) fn integrations(agent: Uuid) -> String {
    format!("/api/agents/{agent}/integrations")
}

/// An empty key is no key.
pub(crate) fn request(method: Method, path: &str, key: &str, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header(HOST, "127.0.0.1");
    if !key.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {key}"));
    }
    if !body.is_empty() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    // Paths and keys are of our own making.
    request.body(Full::new(body)).unwrap_or_default()
}
