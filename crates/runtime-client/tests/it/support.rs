//! A client, a runtime, and what is pushed.

use std::net::SocketAddr;
use std::sync::Arc;

use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, Push, PushError, PushedIntegration, RuntimeAddress};
use nora_kernel::address::{Endpoint, NetworkPolicy, Scheme};
use nora_kernel::{AgentId, EnvName, IntegrationId, Label, Secret};
use nora_net_guard::{Guard, SystemResolver, Tls};
use nora_reference_runtime::{Config, RunningRuntime};
use nora_runtime_client::Runtimes;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const TOKEN: &str = "runtime-token-0123456789";

pub(crate) fn agent() -> AgentId {
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890".parse().unwrap()
}

pub(crate) fn runtimes() -> Runtimes {
    runtimes_within(NetworkPolicy::runtimes_by_default(true))
}

pub(crate) fn runtimes_within(policy: NetworkPolicy) -> Runtimes {
    Runtimes::new(Guard::new(policy, Arc::new(SystemResolver), Tls::new(&[]).unwrap())).unwrap()
}

pub(crate) fn runtime() -> RunningRuntime {
    RunningRuntime::start(Config::on_loopback(Secret::new(TOKEN.to_owned()))).unwrap()
}

pub(crate) fn address_of(runtime: &RunningRuntime) -> RuntimeAddress {
    address(&runtime.url())
}

pub(crate) fn address(url: &str) -> RuntimeAddress {
    RuntimeAddress {
        agent: agent(),
        kind: RuntimeKind::Nora,
        url: Some(Endpoint::parse(url, Scheme::Http).unwrap()),
        token: Some(Secret::new(TOKEN.to_owned())),
        gateway: None,
    }
}

pub(crate) fn slack(config: &Value) -> PushedIntegration {
    PushedIntegration {
        id: "0190a000-0000-7000-8000-000000000001".parse::<IntegrationId>().unwrap(),
        provider: "slack".parse().unwrap(),
        name: "Slack".to_owned(),
        category: "communication".to_owned(),
        auth_type: "token",
        label: Label::default_label(),
        config: config.as_object().unwrap().clone(),
        secret_fields: vec!["token".parse().unwrap()],
        capabilities: vec!["read".to_owned()],
    }
}

pub(crate) fn push(generation: u64, env: &[(&str, &str)]) -> Push {
    let variable = |(name, value): &(&str, &str)| (name.parse::<EnvName>().unwrap(), Secret::new((*value).to_owned()));
    Push {
        agent: agent(),
        generation,
        integrations: vec![slack(&json!({ "channel": "#alerts" }))],
        env: env.iter().map(variable).collect(),
        undeploy: Vec::new(),
    }
}

pub(crate) fn empty(generation: u64) -> Push {
    Push { agent: agent(), generation, integrations: Vec::new(), env: Vec::new(), undeploy: Vec::new() }
}

pub(crate) const fn failed(class: FailureClass) -> PushError {
    PushError::failed(class)
}

/// Reads a request with its body.
pub(crate) async fn read_request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.unwrap();
    (head, body)
}

/// A peer that answers one request with these bytes; the request comes out of the task.
pub(crate) async fn once(answer: Vec<u8>) -> (SocketAddr, tokio::task::JoinHandle<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        let _ = stream.write_all(&answer).await;
        let _ = stream.shutdown().await;
        request
    });
    (address, task)
}
