//! A client, a runtime, and what is pushed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nora_agents::RuntimeKind;
use nora_integrations::ports::{
    FailureClass, Ledger, NotRecorded, OwnedVariable, Push, PushError, PushedIntegration, RuntimeAddress,
};
use nora_kernel::address::{Endpoint, NetworkPolicy, Scheme};
use nora_kernel::{AgentId, Digest, EnvName, IntegrationId, Label, Secret};
use nora_net_guard::{Guard, SystemResolver, Tls};
use nora_reference_runtime::{Config, RunningRuntime};
use nora_runtime_client::Runtimes;
use nora_testkit_runtimes::TlsFront;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const TOKEN: &str = "runtime-token-0123456789";

pub(crate) fn agent() -> AgentId {
    "a1b2c3d4-e5f6-7890-abcd-ef1234567890".parse().unwrap()
}

pub(crate) fn runtimes() -> Runtimes {
    runtimes_within(NetworkPolicy::runtimes_by_default(true))
}

pub(crate) fn runtimes_within(policy: NetworkPolicy) -> Runtimes {
    Runtimes::new(guard_within(policy), Arc::new(Keyed)).unwrap()
}

/// Trusts the certificate of `front` besides those of public authorities.
pub(crate) fn runtimes_trusting(front: &TlsFront) -> Runtimes {
    let tls = Tls::new(&[front.certificate()]).unwrap();
    let guard = Guard::new(NetworkPolicy::runtimes_by_default(true), Arc::new(SystemResolver), tls);
    Runtimes::new(guard, Arc::new(Keyed)).unwrap()
}

/// Digests that differ where values do.
struct Keyed;

impl Digest for Keyed {
    fn sha256(&self, bytes: &[u8]) -> [u8; 32] {
        ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().try_into().unwrap()
    }

    fn keyed(&self, purpose: &'static str, bytes: &[u8]) -> [u8; 32] {
        self.sha256(&[purpose.as_bytes(), bytes].concat())
    }
}

/// Remembers everything that was written down.
#[derive(Default)]
pub(crate) struct Book {
    records: Mutex<Vec<Vec<OwnedVariable>>>,
    closed: bool,
}

impl Book {
    /// Writes nothing down any more.
    pub(crate) fn closed() -> Self {
        Self { closed: true, ..Self::default() }
    }

    /// Everything that was written down, oldest first: the names that were owned, those that were only intended with
    /// a question mark.
    pub(crate) fn pages(&self) -> Vec<String> {
        let line = |owned: &OwnedVariable| format!("{}{}", owned.name, if owned.digest.is_some() { "" } else { "?" });
        let page = |owned: &Vec<OwnedVariable>| owned.iter().map(line).collect::<Vec<_>>().join(" ");
        self.records.lock().unwrap().iter().map(page).collect()
    }

    /// What is owned now.
    pub(crate) fn last(&self) -> Vec<OwnedVariable> {
        self.records.lock().unwrap().last().cloned().unwrap_or_default()
    }
}

#[async_trait]
impl Ledger for Book {
    async fn record(&self, owned: &[OwnedVariable]) -> Result<(), NotRecorded> {
        if self.closed {
            return Err(NotRecorded);
        }
        self.records.lock().unwrap().push(owned.to_vec());
        Ok(())
    }
}

pub(crate) fn guard() -> Guard {
    guard_within(NetworkPolicy::runtimes_by_default(true))
}

fn guard_within(policy: NetworkPolicy) -> Guard {
    Guard::new(policy, Arc::new(SystemResolver), Tls::new(&[]).unwrap())
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
        header_hosts: BTreeMap::new(),
        owned: Vec::new(),
    }
}

pub(crate) fn empty(generation: u64) -> Push {
    Push { integrations: Vec::new(), ..push(generation, &[]) }
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
