//! A manifest to change, and a context that answers from a script.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use nora_provider_sdk::{
    Clock, Connection, Context, Declarative, HttpClient, Manifest, NetworkError, Outcome, Provider, Request, Response,
    Secret, SecretMap, Stream, Timestamp, Transport,
};
use serde_json::{Map, Value};

/// Everything a manifest needs in front of its fields.
pub(crate) const HEAD: &str = r#"
id = "acme"
name = "Acme"
category = "productivity"
description = "Reads and writes Acme tasks."
docs_url = "https://developers.acme.example/rest"
auth_type = "token"
"#;

/// A token, and a test of it.
pub(crate) const TOKEN: &str = r#"
[[fields]]
name = "api_token"
title = "API token"
"#;

pub(crate) const TEST: &str = r#"
[test]
url = "https://api.acme.example/v1/me"
headers = { Authorization = "Bearer {api_token}" }
success = { json = { pointer = "/id", exists = true } }
account = ["/name"]
"#;

pub(crate) fn manifest(text: &str) -> Manifest {
    Manifest::parse("acme.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn provider(text: &str) -> Declarative {
    Declarative::parse("acme.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The reason a manifest was refused.
pub(crate) fn refusal(text: &str) -> String {
    match Manifest::parse("acme.toml", text) {
        Ok(_) => panic!("this manifest is accepted:\n{text}"),
        Err(error) => error.to_string(),
    }
}

/// What a request looked like on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }
}

/// A context that gives these answers, one per request.
pub(crate) struct Scripted {
    answers: Mutex<VecDeque<Result<Response, NetworkError>>>,
    pub(crate) seen: Mutex<Vec<Seen>>,
    pub(crate) dialed: Mutex<Vec<(String, u16)>>,
}

impl Scripted {
    pub(crate) fn new(answers: impl IntoIterator<Item = Result<Response, NetworkError>>) -> Self {
        let answers = answers.into_iter().collect();
        Self { answers: Mutex::new(answers), seen: Mutex::default(), dialed: Mutex::default() }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|seen| seen.line.clone()).collect()
    }
}

pub(crate) fn answer(status: u16, body: &str) -> Result<Response, NetworkError> {
    with_headers(status, &[], body)
}

#[expect(clippy::unnecessary_wraps, reason = "scripts hold errors beside answers")]
pub(crate) fn with_headers(status: u16, headers: &[(&str, &str)], body: &str) -> Result<Response, NetworkError> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Ok(Response { status, headers, body: body.to_owned().into() })
}

/// Values split into configuration and secrets: what begins with `secret:` is one.
pub(crate) struct Entered {
    config: Map<String, Value>,
    secrets: SecretMap,
}

impl Entered {
    pub(crate) fn new(secrets: &[(&str, &str)], config: &Value) -> Self {
        let secrets = secrets.iter().map(|(name, text)| (name.parse().unwrap(), Secret::new((*text).to_owned())));
        Self { config: config.as_object().unwrap().clone(), secrets: secrets.collect() }
    }

    pub(crate) fn connection<'a>(&'a self, manifest: &'a Manifest) -> Connection<'a> {
        Connection::new(manifest, &self.config, &self.secrets)
    }
}

/// Tests a connection against a script.
pub(crate) async fn run(provider: &dyn Provider, entered: &Entered, script: &Scripted) -> Outcome {
    provider.test(&entered.connection(provider.manifest()), script).await
}

/// Tests a connection with a token alone against one answer.
pub(crate) async fn outcome_of(text: &str, reply: Result<Response, NetworkError>) -> Outcome {
    let entered = Entered::new(&[("api_token", "canary-token")], &serde_json::json!({}));
    run(&provider(text), &entered, &Scripted::new([reply])).await
}

#[async_trait]
impl HttpClient for Scripted {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let headers = request.headers.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
        self.seen.lock().unwrap().push(Seen {
            line: format!("{} {}", request.method.as_str(), request.url),
            headers: headers.collect(),
            body: request.body.as_ref().map(|body| body.expose().to_owned()),
        });
        self.answers.lock().unwrap().pop_front().unwrap_or(Err(NetworkError::Refused))
    }
}

impl Clock for Scripted {
    fn now(&self) -> Timestamp {
        "2026-11-23T09:00:00Z".parse().unwrap()
    }
}

#[async_trait]
impl Context for Scripted {
    fn http(&self) -> &dyn HttpClient {
        self
    }

    fn clock(&self) -> &dyn Clock {
        self
    }

    async fn connect(&self, host: &str, port: u16, _: Transport) -> Result<Box<dyn Stream>, NetworkError> {
        self.dialed.lock().unwrap().push((host.to_owned(), port));
        Ok(Box::new(tokio::io::empty()))
    }

    async fn start_tls(&self, stream: Box<dyn Stream>, _: &str) -> Result<Box<dyn Stream>, NetworkError> {
        Ok(stream)
    }
}
