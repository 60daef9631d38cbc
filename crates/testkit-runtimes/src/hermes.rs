//! A Hermes management API.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::Journal;
use crate::http::{Request, Server, serve};

/// Names it knows without being told.
const KNOWN: [&str; 2] = ["LINEAR_API_KEY", "OPENROUTER_API_KEY"];
/// Names it never writes.
const DENIED: [&str; 4] = ["GIT_SHELL", "LD_PRELOAD", "PATH", "PYTHONPATH"];

#[derive(Default)]
struct State {
    token: String,
    lines: BTreeMap<String, String>,
    servers: Map<String, Value>,
}

/// A Hermes.
pub struct Hermes {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Hermes {
    /// Starts one with an empty file that `token` opens.
    pub async fn start(token: &str, journal: Journal) -> Self {
        let state = Arc::new(Mutex::new(State { token: token.to_owned(), ..State::default() }));
        let seen = Arc::clone(&state);
        let server = serve(move |request| answer(&mut seen.lock().unwrap(), &journal, request)).await;
        Self { server, state }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// What an agent's next turn finds in its environment: a line that was taken out stays in it.
    pub fn lines(&self) -> BTreeMap<String, String> {
        self.state.lock().unwrap().lines.clone()
    }

    /// An operator writes a line.
    pub fn write(&self, name: &str, value: &str) {
        self.state.lock().unwrap().lines.insert(name.to_owned(), value.to_owned());
    }

    /// An operator adds an MCP server.
    pub fn serve(&self, name: &str, server: Value) {
        self.state.lock().unwrap().servers.insert(name.to_owned(), server);
    }

    /// The MCP servers it holds.
    pub fn servers(&self) -> Map<String, Value> {
        self.state.lock().unwrap().servers.clone()
    }
}

fn answer(state: &mut State, journal: &Journal, request: &Request) -> (u16, String) {
    if request.header("x-hermes-session-token") != Some(&state.token) {
        return (401, json!({ "detail": "Unauthorized" }).to_string());
    }
    let sent: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/api/env") => (200, list(state).to_string()),
        ("PUT", "/api/env") => write(state, journal, &sent),
        ("DELETE", "/api/env") => delete(state, journal, &sent),
        ("GET", "/api/mcp/servers") => (200, json!({ "servers": servers(state) }).to_string()),
        ("PUT", "/api/mcp/servers") => {
            state.servers = sent["servers"].as_object().cloned().unwrap_or_default();
            (200, json!({ "ok": true }).to_string())
        }
        _ => (404, json!({ "detail": "Not Found" }).to_string()),
    }
}

fn list(state: &State) -> Value {
    let names = KNOWN.into_iter().chain(state.lines.keys().map(String::as_str));
    let row = |name: &str| {
        let is_set = state.lines.get(name).is_some_and(|value| !value.is_empty());
        let shown = if is_set { json!("***") } else { Value::Null };
        json!({ "is_set": is_set, "redacted_value": shown, "custom": !KNOWN.contains(&name), "tools": [] })
    };
    names.map(|name| (name.to_owned(), row(name))).collect::<Map<_, _>>().into()
}

fn write(state: &mut State, journal: &Journal, sent: &Value) -> (u16, String) {
    let (name, value) = (sent["key"].as_str().unwrap_or_default(), sent["value"].as_str().unwrap_or_default());
    if DENIED.contains(&name) {
        let detail = format!("Environment variable '{name}' is on the writer denylist.");
        return (400, json!({ "detail": detail }).to_string());
    }
    journal.write(format!("hermes: {}{name}", if value.is_empty() { "-" } else { "+" }));
    // A line holds no line break, and a credential nothing but ASCII.
    let kept = value.chars().filter(|character| character.is_ascii() && !matches!(character, '\n' | '\r'));
    state.lines.insert(name.to_owned(), kept.collect());
    (200, json!({ "ok": true, "key": name, "config_updates": [] }).to_string())
}

fn delete(state: &mut State, journal: &Journal, sent: &Value) -> (u16, String) {
    let name = sent["key"].as_str().unwrap_or_default();
    journal.write(format!("hermes: -{name}"));
    match state.lines.remove(name) {
        Some(_) => (200, json!({ "ok": true, "key": name, "removed": true, "found": true }).to_string()),
        None => (404, json!({ "detail": format!("{name} not found in .env") }).to_string()),
    }
}

fn servers(state: &State) -> Value {
    let server = |(name, server): (&String, &Value)| {
        let hidden = |env: &Map<String, Value>| env.keys().map(|name| (name.clone(), json!("***"))).collect();
        let env: Map<String, Value> = server["env"].as_object().map(hidden).unwrap_or_default();
        json!({ "name": name, "command": server["command"], "args": server["args"], "url": server["url"], "env": env,
            "enabled": true })
    };
    state.servers.iter().map(server).collect()
}
