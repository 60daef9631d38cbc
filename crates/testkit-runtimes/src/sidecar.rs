//! A sidecar: no authentication, and a list that it overwrites with whatever it is sent.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::Journal;
use crate::http::{Request, Server, serve};

#[derive(Default)]
struct State {
    integrations: Vec<Value>,
    /// Bodies of the next requests are cut short on their way.
    truncated: bool,
}

/// A sidecar.
pub struct Sidecar {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl Sidecar {
    /// Starts one that holds nothing.
    pub async fn start(journal: Journal) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let seen = Arc::clone(&state);
        let server = serve(move |request| answer(&mut seen.lock().unwrap(), &journal, request)).await;
        Self { server, state }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// What it holds, as it was sent.
    pub fn integrations(&self) -> Vec<Value> {
        self.state.lock().unwrap().integrations.clone()
    }

    /// Makes it receive half a body only, from now on or no longer.
    pub fn truncate(&self, truncated: bool) {
        self.state.lock().unwrap().truncated = truncated;
    }

    /// Makes it forget what it holds, as a container that is made anew does.
    pub fn forget(&self) {
        self.state.lock().unwrap().integrations.clear();
    }
}

fn answer(state: &mut State, journal: &Journal, request: &Request) -> (u16, String) {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/health") => (200, json!({ "status": "ok", "uptime": 2, "pid": 1, "node": "v20.20.2" }).to_string()),
        ("GET", "/integrations") => (200, Value::from(state.integrations.clone()).to_string()),
        ("POST", "/integrations/sync") => {
            let body = if state.truncated { &request.body[..request.body.len() / 2] } else { &request.body };
            // What it cannot read, it takes for nothing, and overwrites what it had.
            let sent: Value = serde_json::from_slice(body).unwrap_or_default();
            let list = sent.get("integrations").unwrap_or(&sent).as_array().cloned().unwrap_or_default();
            let providers: Vec<_> = list.iter().map(|entry| entry["provider"].as_str().unwrap_or_default()).collect();
            journal.write(format!("sidecar: {}", providers.join(" ")));
            let count = list.len();
            state.integrations = list;
            (200, json!({ "synced": true, "count": count }).to_string())
        }
        ("POST", "/channels/receive") => (200, json!({ "received": true }).to_string()),
        _ => (404, json!({ "error": "Not found" }).to_string()),
    }
}
