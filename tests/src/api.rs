//! A client of the API.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, redirect};
use serde_json::{Value, json};

use crate::{Runtime, eventually};

/// Long enough for the slowest answer there may be.
const LONGEST: Duration = Duration::from_mins(5);

/// A client that remembers every answer it was given.
#[derive(Clone)]
pub struct Api {
    base: String,
    token: String,
    http: reqwest::Client,
    transcript: Arc<Mutex<String>>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// The body as JSON, if the status is this one.
    #[track_caller]
    pub fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The problem document, if it has this status and code and the shape that every problem has.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["error"], problem["detail"], "{problem}");
        for field in ["type", "title", "detail", "request_id"] {
            assert!(problem[field].is_string(), "{field}: {problem}");
        }
        assert_eq!(self.header("content-type"), "application/problem+json");
        problem
    }

    /// A header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Api {
    /// A client of the server at `base` that presents `token`.
    pub fn new(base: impl Into<String>, token: impl Into<String>) -> Self {
        nora_net_guard::install_default_provider();
        #[expect(clippy::disallowed_methods, reason = "a client of the service under test, on this machine")]
        let builder = reqwest::Client::builder();
        let http = builder.no_proxy().redirect(redirect::Policy::none()).timeout(LONGEST).build().unwrap();
        Self { base: base.into(), token: token.into(), http, transcript: Arc::default() }
    }

    /// The same client with another token. Both write one transcript.
    #[must_use]
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: token.into(), ..self.clone() }
    }

    /// The same client of another server. Both write one transcript.
    #[must_use]
    pub fn at(&self, base: impl Into<String>) -> Self {
        Self { base: base.into(), ..self.clone() }
    }

    /// The token it presents.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Every answer so far: headers and bodies.
    pub fn transcript(&self) -> String {
        self.transcript.lock().unwrap().clone()
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let what = format!("{method} {path}");
        self.send(method, path, &[], body).await.unwrap_or_else(|error| panic!("{what} had no answer: {error:?}"))
    }

    /// Any request with a JSON body.
    ///
    /// # Errors
    ///
    /// The server gave no whole answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<Answer, reqwest::Error> {
        let mut sent = headers.to_vec();
        let body = body.map(|body| body.to_string().into_bytes());
        if body.is_some() {
            sent.push(("content-type", "application/json"));
        }
        self.send_bytes(method, path, &sent, body.unwrap_or_default()).await
    }

    /// Any request with any body. The token is presented unless `headers` say otherwise.
    ///
    /// # Errors
    ///
    /// The server gave no whole answer.
    pub async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) && !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body).send().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await?;
        let said = format!("{status} {headers:?}\n{body}\n");
        self.transcript.lock().unwrap().extend([said.as_str()]);
        Ok(Answer { status, headers, body })
    }

    /// Registers an agent that lives in `runtime` and returns its id.
    pub async fn register(&self, name: &str, runtime: &Runtime) -> String {
        self.register_at(name, &runtime.url(), runtime.token()).await
    }

    /// Registers an agent of kind `nora` at any address.
    pub async fn register_at(&self, name: &str, url: &str, token: &str) -> String {
        let runtime = json!({ "kind": "nora", "url": url, "token": token });
        let agent = self.post("/api/agents", json!({ "name": name, "runtime": runtime })).await.json(201);
        agent["id"].as_str().unwrap().to_owned()
    }

    /// Connects and returns the integration's id.
    pub async fn connect(&self, agent: &str, body: Value) -> String {
        let record = self.post(&integrations(agent), body).await.json(201);
        record["id"].as_str().unwrap().to_owned()
    }

    /// Connects the suite's own provider under a label.
    pub async fn connect_acme(&self, agent: &str, label: &str, token: &str) -> String {
        self.connect(agent, json!({ "provider": "acme", "label": label, "token": token })).await
    }

    /// The agent's sync state.
    pub async fn sync(&self, agent: &str) -> Value {
        self.get(&format!("/api/agents/{agent}/sync")).await.json(200)
    }

    /// Asks for a sync at once.
    pub async fn request_sync(&self, agent: &str) {
        let answer = self.post(&format!("/api/agents/{agent}/sync"), json!({})).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }

    /// Replaces the set of the agent's MCP servers and returns the answer.
    pub async fn select_mcp(&self, agent: &str, providers: &[&str]) -> Value {
        self.put(&format!("/api/agents/{agent}/mcp-servers"), json!({ "providers": providers })).await.json(200)
    }

    /// Asks for a redeploy.
    pub async fn request_redeploy(&self, agent: &str) {
        self.post(&format!("/api/agents/{agent}/redeploy"), json!({})).await.json(202);
    }

    /// Waits until the agent's deployment is in this state, and returns it.
    pub async fn wait_deployment(&self, agent: &str, state: &str) -> Value {
        let what = format!("the deployment of agent {agent} {state}");
        let is = |view: &Value| view["state"] == state;
        eventually(&what, async || Some(self.sync(agent).await["deployment"].clone()).filter(is)).await
    }

    /// Waits until the agent's runtime has confirmed everything, and returns the state.
    pub async fn wait_in_sync(&self, agent: &str) -> Value {
        let what = format!("agent {agent} in sync");
        eventually(&what, async || Some(self.sync(agent).await).filter(|view| view["state"] == "in_sync")).await
    }

    /// Waits until the agent's last push failed in this way, and returns the state.
    pub async fn wait_failing(&self, agent: &str, code: &str) -> Value {
        let what = format!("agent {agent} failing with {code}");
        let failing = |view: &Value| view["state"] == "failing" && view["last_error"]["code"] == code;
        eventually(&what, async || Some(self.sync(agent).await).filter(failing)).await
    }
}

/// Where an agent's integrations are.
fn integrations(agent: &str) -> String {
    format!("/api/agents/{agent}/integrations")
}
