//! Sample values: valid, different from each other, and the same in every run.

mod webhooks;

use std::time::Duration;

use nora_access::{ApiKey, StoredKey};
use nora_agents::ports::StoredAgent;
use nora_agents::{Agent, Gateway, Runtime, RuntimeKind, Target};
use nora_integrations::Integration;
use nora_integrations::ports::{IntegrationUpdate, NewIntegration, ResealedSecrets, Variable, VariableState};
use nora_kernel::address::{Endpoint, Scheme};
use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{
    AgentId, ApiKeyId, AuditId, Clock as _, IdSource as _, Idempotency, IntegrationId, Label, RequestId, Scope, Scopes,
    Sealed, StoredAnswer, TargetId, Workspace, WrappedKey,
};
use serde_json::{Map, Value, json};

pub use webhooks::ordering_key;

use crate::{ManualClock, SequentialIds};

/// Makes sample values with ids of one sequence and the time of one clock.
#[derive(Debug, Clone, Default)]
pub struct Samples {
    /// Where ids come from.
    pub ids: SequentialIds,
    /// The time.
    pub clock: ManualClock,
}

/// The workspace samples lie in unless another is named.
pub fn workspace() -> Workspace {
    named("alpha")
}

/// Parses a name that is known to be good.
pub fn named<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// An `http` or `https` endpoint.
pub fn http(url: &str) -> Endpoint {
    Endpoint::parse(url, Scheme::Http).unwrap()
}

/// A `ws` or `wss` endpoint.
pub fn web_socket(url: &str) -> Endpoint {
    Endpoint::parse(url, Scheme::WebSocket).unwrap()
}

/// A variable the runtime confirmed.
pub fn live_variable(name: &str) -> Variable {
    Variable { name: named(name), state: VariableState::Live, reason: None }
}

impl Samples {
    /// Samples from the start of the sequence, with a clock of their own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Samples that tell the time by `clock`.
    pub fn at(clock: ManualClock) -> Self {
        Self { ids: SequentialIds::new(), clock }
    }

    /// A `nora` agent in the common workspace, with its live target.
    pub fn agent(&self) -> StoredAgent {
        self.agent_in(&workspace())
    }

    /// A `nora` agent with its live target.
    pub fn agent_in(&self, workspace: &Workspace) -> StoredAgent {
        let id = AgentId::from_uuid(self.ids.next());
        let now = self.clock.now();
        let runtime = Runtime { kind: RuntimeKind::Nora, url: Some(http(&format!("http://10.0.0.1:9090/{id}"))) };
        let target = self.target(id, workspace, &runtime, None);
        let agent = Agent {
            id,
            workspace: workspace.clone(),
            name: named("An agent"),
            runtime,
            gateway: None,
            created_at: now,
            updated_at: now,
        };
        let key = WrappedKey(format!("wrapped key of {id}").into_bytes());
        StoredAgent { agent, key, target, revision: 1 }
    }

    /// An `openclaw` agent in the common workspace whose gateway listens at `gateway`.
    pub fn agent_behind(&self, gateway: &str) -> StoredAgent {
        let mut stored = self.agent();
        let gateway = Gateway { url: web_socket(gateway), device_id: "d".repeat(64) };
        stored.agent.runtime = Runtime { kind: RuntimeKind::Openclaw, url: None };
        stored.target =
            self.target(stored.agent.id, &stored.agent.workspace, &stored.agent.runtime, Some(gateway.clone()));
        stored.agent.gateway = Some(gateway);
        stored
    }

    /// A new target for an agent at the given place.
    pub fn target(&self, agent: AgentId, workspace: &Workspace, runtime: &Runtime, gateway: Option<Gateway>) -> Target {
        let id = TargetId::from_uuid(self.ids.next());
        Target {
            id,
            agent,
            workspace: workspace.clone(),
            kind: runtime.kind,
            url: runtime.url.clone(),
            gateway: gateway.as_ref().map(|gateway| gateway.url.clone()),
            device_id: gateway.map(|gateway| gateway.device_id),
            secrets: Sealed(format!("sealed for {id}").into_bytes()),
            secrets_version: 1,
        }
    }

    /// A target at another address of the same agent.
    pub fn target_elsewhere(&self, agent: &StoredAgent) -> Target {
        let url = http(&format!("http://10.0.0.2:9090/{}", self.ids.next()));
        let runtime = Runtime { kind: RuntimeKind::Nora, url: Some(url) };
        self.target(agent.agent.id, &agent.agent.workspace, &runtime, None)
    }

    /// A GitHub connection with a secret, under the default label.
    pub fn integration(&self, agent: &StoredAgent) -> NewIntegration {
        self.integration_labelled(agent, &Label::default_label())
    }

    /// A GitHub connection with a secret.
    pub fn integration_labelled(&self, agent: &StoredAgent, label: &Label) -> NewIntegration {
        let id = IntegrationId::from_uuid(self.ids.next());
        let now = self.clock.now();
        let integration = Integration {
            id,
            agent: agent.agent.id,
            provider: named("github"),
            label: label.clone(),
            config: config(&json!({"owner": "octocat"})),
            secret_fields: vec![named("personal_access_token")],
            readable: true,
            created_at: now,
            updated_at: now,
        };
        let secrets = Some(Sealed(format!("sealed for {id}").into_bytes()));
        NewIntegration { integration, workspace: agent.agent.workspace.clone(), secrets }
    }

    /// A connection that has no secret.
    pub fn integration_without_secrets(&self, agent: &StoredAgent) -> NewIntegration {
        let mut new = self.integration(agent);
        new.integration.provider = named("rss");
        new.integration.secret_fields = Vec::new();
        new.secrets = None;
        new
    }

    /// A change of an integration's configuration and secrets from the state it was added in, a second later.
    pub fn integration_update(&self, new: &NewIntegration) -> IntegrationUpdate {
        let Integration { agent, id, updated_at, .. } = new.integration;
        let resealed = ResealedSecrets {
            sealed: Some(Sealed(format!("sealed again for {id}").into_bytes())),
            fields: vec![named("personal_access_token"), named("webhook_secret")],
            version: 2,
        };
        IntegrationUpdate {
            agent,
            id,
            config: config(&json!({"owner": "hubot"})),
            secrets: Some(resealed),
            from_version: 1,
            from_updated_at: updated_at,
            updated_at: updated_at.after(Duration::from_secs(1)),
        }
    }

    /// An API key in the common workspace.
    pub fn key(&self) -> StoredKey {
        self.key_in(&workspace())
    }

    /// An API key.
    pub fn key_in(&self, workspace: &Workspace) -> StoredKey {
        let id = self.ids.next();
        let public_id = id.as_simple().to_string().split_off(20);
        let key = ApiKey {
            id: ApiKeyId::from_uuid(id),
            public_id: named(&public_id),
            name: named("A key"),
            scopes: Scopes::NONE.with(Scope::AgentsRead).with(Scope::IntegrationsWrite),
            workspace: workspace.clone(),
            created_at: self.clock.now(),
            expires_at: None,
            last_used_at: None,
        };
        StoredKey { key, hash: [7; 32] }
    }

    /// A line of the common workspace's trail.
    pub fn line(&self) -> AuditLine {
        self.line_in(&workspace())
    }

    /// A line of a workspace's trail.
    pub fn line_in(&self, workspace: &Workspace) -> AuditLine {
        AuditLine {
            id: AuditId::from_uuid(self.ids.next()),
            at: self.clock.now(),
            workspace: workspace.clone(),
            actor: Actor::ApiKey(ApiKeyId::from_uuid(self.ids.next())),
            action: Action::AgentUpdated,
            resource: Resource::new(ResourceKind::Agent, self.ids.next()),
            agent: Some(AgentId::from_uuid(self.ids.next())),
            purpose: None,
            outcome: Outcome::Success,
            request: Some(RequestId::from_uuid(self.ids.next())),
        }
    }

    /// A record of an answered request, kept for a day. Two with one `key` are about the same request.
    pub fn answer(&self, key: &str) -> Idempotency {
        Idempotency {
            principal: "api_key:1".to_owned(),
            route: "POST /api/agents".to_owned(),
            key: named(key),
            body_digest: [3; 32],
            answer: StoredAnswer {
                status: 201,
                location: Some("/api/agents/1".to_owned()),
                body: r#"{"id":"1"}"#.to_owned(),
            },
            expires_at: self.clock.now().after(Duration::from_hours(24)),
        }
    }
}

fn config(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
