//! A small catalog, and third parties that answer from memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use nora_catalog::{Catalog, Options};
use nora_integrations::ports::TestContexts;
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_kernel::{Clock, ProviderId};
use nora_provider_sdk::{
    Context, Declarative, HttpClient, NetworkError, Provider, Request, Response, Stream, Transport,
};
use nora_testkit::{ManualClock, PlainDigest};

const MANIFESTS: [(&str, &str); 3] = [
    ("slack.toml", include_str!("../fixtures/slack.toml")),
    ("forge.toml", include_str!("../fixtures/forge.toml")),
    ("retired.toml", include_str!("../fixtures/retired.toml")),
];

pub(super) fn catalog() -> Arc<Catalog> {
    let parse = |(name, text)| -> Arc<dyn Provider> { Arc::new(Declarative::parse(name, text).unwrap()) };
    let disabled: BTreeSet<ProviderId> = ["retired".parse().unwrap()].into();
    let options = Options { disabled, policy: NetworkPolicy::third_parties(Networks::default()) };
    Arc::new(Catalog::build(MANIFESTS.map(parse), &options, Arc::new(PlainDigest)).unwrap())
}

/// Third parties that know one token, `good-token`.
pub(super) struct Contexts(ManualClock);

impl Contexts {
    pub(super) fn new(clock: ManualClock) -> Self {
        Self(clock)
    }
}

impl TestContexts for Contexts {
    fn open(&self) -> Box<dyn Context> {
        Box::new(Offline(self.0.clone()))
    }
}

struct Offline(ManualClock);

#[async_trait]
impl Context for Offline {
    fn http(&self) -> &dyn HttpClient {
        self
    }

    fn clock(&self) -> &dyn Clock {
        &self.0
    }

    async fn connect(&self, _: &str, _: u16, _: Transport) -> Result<Box<dyn Stream>, NetworkError> {
        Err(NetworkError::Refused)
    }

    async fn start_tls(&self, _: Box<dyn Stream>, _: &str) -> Result<Box<dyn Stream>, NetworkError> {
        Err(NetworkError::Tls)
    }
}

#[async_trait]
impl HttpClient for Offline {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let token = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        let good = token.is_some_and(|(_, value)| value.expose() == "Bearer good-token");
        let (status, body) = if good { (200, r#"{"id":"1","name":"octocat"}"#) } else { (401, "{}") };
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Ok(Response { status, headers, body: Bytes::from_static(body.as_bytes()) })
    }
}
