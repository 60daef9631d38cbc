//! An application to send requests to.

mod answer;
mod contract;
mod failing;
mod gate;
mod log;
mod providers;
mod server;
mod webhooks;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::test::{self, TestRequest};
use nora_access::ports::{AuditStore, IdempotencyStore, KeyStore};
use nora_access::{ApiKey, Authenticator, KeyText, Keys, StoredKey, Trail};
use nora_agents::ports::AgentStore;
use nora_agents::{AddressRules, Agents};
use nora_catalog::Catalog;
use nora_http_api::{Api, HttpMetrics, LIMITS, Limits, Ports, WebhookMetrics, app};
use nora_integrations::ports::{IntegrationStore, SyncStore};
use nora_integrations::{Connections, TestLimiter};
use nora_kernel::address::NetworkPolicy;
use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{ApiKeyId, AuditId, Clock as _, IdSource as _, Readiness, Scope, Scopes, Timestamp, Workspace};
use nora_mcp_servers::McpServers;
use nora_testkit::{DirectIntake, InMemory, ManualClock, PlainDigest, SequentialBytes, SequentialIds};
use nora_webhooks::ports::Intake;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};

pub(crate) use answer::Answer;
pub(crate) use failing::Broken;
pub(crate) use gate::GatedVault;
pub(crate) use log::Log;
pub(crate) use server::{Server, exchange};

/// The application with everything it stands on, changed by a test before it is built.
pub(crate) struct Parts {
    pub(crate) agents: Arc<dyn AgentStore>,
    pub(crate) audit: Arc<dyn AuditStore>,
    pub(crate) idempotency: Arc<dyn IdempotencyStore>,
    pub(crate) integrations: Arc<dyn IntegrationStore>,
    pub(crate) keys: Arc<dyn KeyStore>,
    pub(crate) sync: Arc<dyn SyncStore>,
    pub(crate) intake: Arc<dyn Intake>,
    pub(crate) webhook_rate: u32,
    pub(crate) readiness: Vec<(&'static str, Arc<dyn Readiness>)>,
    pub(crate) limits: Limits,
    pub(crate) memory: Arc<InMemory>,
    pub(crate) vault: Arc<GatedVault>,
    clock: ManualClock,
}

impl Parts {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new();
        let memory = Arc::new(InMemory::new(clock.clone()));
        Self {
            agents: memory.clone(),
            audit: memory.clone(),
            idempotency: memory.clone(),
            integrations: memory.clone(),
            keys: memory.clone(),
            sync: memory.clone(),
            intake: Arc::new(DirectIntake(memory.clone())),
            webhook_rate: 0,
            readiness: Vec::new(),
            limits: LIMITS,
            memory,
            vault: Arc::default(),
            clock,
        }
    }

    pub(crate) fn build(self) -> Bench {
        let Self { agents, audit, idempotency, integrations, keys, sync, intake, webhook_rate, .. } = self;
        let Self { readiness, limits, memory, vault, clock, .. } = self;
        let ids = SequentialIds::new();
        let catalog = providers::catalog();
        let authenticator =
            Arc::new(Authenticator::new(Arc::clone(&keys), None, Arc::new(clock.clone()), Arc::new(PlainDigest)));
        let entropy = Arc::new(SequentialBytes::new());
        let mut registry = Registry::default();
        let hooks = webhooks::Parts { memory: &memory, vault: &vault, ids: &ids, clock: &clock };
        let (channels, receiver) = hooks.build(&catalog, intake, webhook_rate);
        let ports = Ports {
            authenticator: Arc::clone(&authenticator),
            keys: Keys {
                store: Arc::clone(&keys),
                authenticator,
                clock: Arc::new(clock.clone()),
                ids: Arc::new(ids.clone()),
                entropy: entropy.clone(),
                digest: Arc::new(PlainDigest),
            },
            trail: Trail { store: audit },
            agents: Agents {
                store: agents,
                vault: vault.clone(),
                device_keys: Arc::new(failing::CountingDeviceKeys::default()),
                rules: AddressRules { policy: NetworkPolicy::runtimes_by_default(true) },
                ids: Arc::new(ids.clone()),
                clock: Arc::new(clock.clone()),
            },
            mcp_servers: mcp_servers(&catalog, &memory, &sync, &vault, &ids, &clock),
            connections: connections(catalog, integrations, sync, vault, &ids, &clock),
            channels,
            receiver,
            idempotency,
            ids: Arc::new(ids.clone()),
            clock: Arc::new(clock.clone()),
            digest: Arc::new(PlainDigest),
            readiness,
            metrics: HttpMetrics::register(&mut registry),
            webhook_metrics: WebhookMetrics::register(&mut registry),
            limits,
        };
        Bench { api: Api::new(ports), registry, clock, memory, ids, entropy }
    }
}

fn connections(
    catalog: Arc<Catalog>,
    store: Arc<dyn IntegrationStore>,
    sync: Arc<dyn SyncStore>,
    vault: Arc<GatedVault>,
    ids: &SequentialIds,
    clock: &ManualClock,
) -> Connections {
    Connections {
        catalog,
        store,
        sync,
        vault,
        contexts: Arc::new(providers::Contexts::new(clock.clone())),
        limiter: Arc::new(TestLimiter::default()),
        ids: Arc::new(ids.clone()),
        clock: Arc::new(clock.clone()),
    }
}

fn mcp_servers(
    catalog: &Arc<Catalog>,
    memory: &Arc<InMemory>,
    sync: &Arc<dyn SyncStore>,
    vault: &Arc<GatedVault>,
    ids: &SequentialIds,
    clock: &ManualClock,
) -> McpServers {
    McpServers::new(nora_mcp_servers::Parts {
        catalog: Arc::clone(catalog),
        store: memory.clone(),
        redeploys: memory.clone(),
        sync: Arc::clone(sync),
        vault: vault.clone(),
        digest: Arc::new(PlainDigest),
        ids: Arc::new(ids.clone()),
        clock: Arc::new(clock.clone()),
    })
}

/// A running application.
pub(crate) struct Bench {
    pub(crate) api: Arc<Api>,
    pub(crate) registry: Registry,
    pub(crate) clock: ManualClock,
    pub(crate) memory: Arc<InMemory>,
    ids: SequentialIds,
    entropy: Arc<SequentialBytes>,
}

impl Bench {
    pub(crate) fn start() -> Self {
        Parts::new().build()
    }

    /// A token of the workspace `default`.
    pub(crate) async fn token(&self, scopes: &[Scope]) -> String {
        self.token_in("default", scopes).await
    }

    pub(crate) async fn admin(&self) -> String {
        self.token(&[Scope::Admin]).await
    }

    pub(crate) async fn token_in(&self, workspace: &str, scopes: &[Scope]) -> String {
        self.add_key(workspace, scopes.iter().copied().collect(), None).await.1
    }

    /// Adds a key behind the API's back; returns its record's id and the key itself.
    pub(crate) async fn add_key(
        &self,
        workspace: &str,
        scopes: Scopes,
        expires_at: Option<Timestamp>,
    ) -> (ApiKeyId, String) {
        let text = KeyText::generate(self.entropy.as_ref()).unwrap();
        let key = ApiKey {
            id: ApiKeyId::from_uuid(self.ids.next()),
            public_id: text.id().clone(),
            name: "test".parse().unwrap(),
            scopes,
            workspace: workspace.parse().unwrap(),
            created_at: self.clock.now(),
            expires_at,
            last_used_at: None,
        };
        let (id, line) = (key.id, self.line_of(&key.workspace));
        let stored = StoredKey { key, hash: text.hash(&PlainDigest) };
        KeyStore::insert(self.memory.as_ref(), &stored, &line).await.unwrap();
        (id, text.reveal().expose().to_owned())
    }

    /// A line for what is done behind the API's back.
    pub(crate) fn line_of(&self, workspace: &Workspace) -> AuditLine {
        AuditLine {
            id: AuditId::from_uuid(self.ids.next()),
            at: self.clock.now(),
            workspace: workspace.clone(),
            actor: Actor::System,
            action: Action::KeyCreated,
            resource: Resource::new(ResourceKind::Key, "test"),
            agent: None,
            purpose: None,
            outcome: Outcome::Success,
            request: None,
        }
    }

    /// Sends a request through the whole application and checks what holds for every answer.
    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        let service = test::init_service(app(&self.api)).await;
        let request = request.to_request();
        let (method, path) = (request.method().clone(), request.path().to_owned());
        let answer = match test::try_call_service(&service, request).await {
            Ok(response) => Answer::read(response.map_into_boxed_body()).await,
            Err(error) => Answer::of_error(&error).await,
        };
        contract::check(&method, &path, &answer);
        answer
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(with_token(TestRequest::get().uri(path), token)).await
    }

    pub(crate) async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send(with_token(TestRequest::delete().uri(path), token)).await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(with_token(TestRequest::post().uri(path).set_json(body), token)).await
    }

    pub(crate) async fn put(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(with_token(TestRequest::put().uri(path).set_json(body), token)).await
    }

    pub(crate) async fn patch(&self, token: &str, path: &str, body: &Value) -> Answer {
        self.send(with_token(TestRequest::patch().uri(path).set_json(body), token)).await
    }

    /// Registers an agent; returns its path.
    pub(crate) async fn agent(&self, token: &str) -> String {
        let answer = self.post(token, "/api/agents", &agent_body()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        format!("/api/agents/{}", answer.json()["id"].as_str().unwrap())
    }

    /// Connects an agent to Slack; returns the integration's path.
    pub(crate) async fn slack(&self, token: &str, agent: &str) -> String {
        let answer = self.post(token, &format!("{agent}/integrations"), &slack_body()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.header("location").unwrap().to_owned()
    }
}

pub(crate) fn agent_body() -> Value {
    json!({ "name": "Agent", "runtime": { "kind": "nora", "url": "http://10.0.0.7:9090", "token": "RUNTIME-TOKEN" } })
}

pub(crate) fn slack_body() -> Value {
    json!({ "provider": "slack", "token": "good-token", "config": { "channel": "#alerts" } })
}

pub(crate) fn with_token(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

/// A request with any method, body and headers.
pub(crate) fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path)
}

/// A JSON body as it is, well formed or not.
pub(crate) fn raw_json(request: TestRequest, body: impl Into<Vec<u8>>) -> TestRequest {
    request.insert_header(("Content-Type", "application/json")).set_payload(body.into())
}
