//! How runtimes are spoken to.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use nora_agents::{RuntimeKind, RuntimeSecrets, Target};
use nora_kernel::address::Endpoint;
use nora_kernel::{AgentId, EnvName, FieldName, IntegrationId, Label, ProviderId, Secret};
use serde_json::{Map, Value};

use super::{Ledger, OwnedVariable};

/// Where a runtime is and what opens it.
#[derive(Debug)]
pub struct RuntimeAddress {
    /// The agent the runtime serves.
    pub agent: AgentId,
    /// How it is spoken to.
    pub kind: RuntimeKind,
    /// Where it listens.
    pub url: Option<Endpoint>,
    /// Its bearer token.
    pub token: Option<Secret>,
    /// Its gateway.
    pub gateway: Option<GatewayAddress>,
}

/// Where a gateway is and what opens it.
#[derive(Debug)]
pub struct GatewayAddress {
    /// Where it listens.
    pub url: Endpoint,
    /// Its shared secret.
    pub token: Option<Secret>,
    /// The seed of the Ed25519 device key, in lower-case hexadecimal.
    pub device_key: Option<Secret>,
}

impl RuntimeAddress {
    /// The address of a target whose secrets are open.
    pub fn of(target: &Target, secrets: RuntimeSecrets) -> Self {
        let RuntimeSecrets { token, gateway_token, device_key } = secrets;
        let gateway = target.gateway.clone().map(|url| GatewayAddress { url, token: gateway_token, device_key });
        Self { agent: target.agent, kind: target.kind, url: target.url.clone(), token, gateway }
    }
}

/// An integration as a runtime is told of it. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedIntegration {
    /// Its id.
    pub id: IntegrationId,
    /// Its provider.
    pub provider: ProviderId,
    /// The provider's name.
    pub name: String,
    /// The provider's category.
    pub category: String,
    /// How its credential is used: the catalog's `auth_type`.
    pub auth_type: &'static str,
    /// Its label.
    pub label: Label,
    /// Its public configuration.
    pub config: Map<String, Value>,
    /// The fields it holds secrets for.
    pub secret_fields: Vec<FieldName>,
    /// What an agent can do with the provider.
    pub capabilities: Vec<String>,
}

/// Everything an agent's runtime should have: the whole state, never a change.
#[derive(Debug)]
pub struct Push {
    /// The agent.
    pub agent: AgentId,
    /// Grows with every change, per agent.
    pub generation: u64,
    /// The integrations, oldest first.
    pub integrations: Vec<PushedIntegration>,
    /// The environment, by name.
    pub env: Vec<(EnvName, Secret)>,
    /// MCP servers that a runtime which is to be emptied may hold; none for one that an agent lives at. They go before
    /// anything is confirmed.
    pub undeploy: Vec<ProviderId>,
    /// Credentials among the environment that travel in HTTP headers and nowhere else, with the hosts they are sent to
    /// (lower-case names). A runtime that can may keep the agent from seeing their values.
    pub header_hosts: BTreeMap<EnvName, Vec<String>>,
    /// What this service owns in the runtime, as it was last recorded.
    pub owned: Vec<OwnedVariable>,
}

/// What became of a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VariableState {
    /// The runtime confirmed it.
    Live,
    /// It takes effect at the next redeploy.
    PendingRedeploy,
    /// The runtime cannot take it.
    Unsupported,
    /// Somebody else owns the name.
    Conflict,
    /// It was refused.
    Failed,
}

impl VariableState {
    /// The state on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::PendingRedeploy => "pending_redeploy",
            Self::Unsupported => "unsupported",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
        }
    }

    /// The state with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        let all = [Self::Live, Self::PendingRedeploy, Self::Unsupported, Self::Conflict, Self::Failed];
        all.into_iter().find(|state| state.as_str() == text)
    }
}

/// A variable after a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: EnvName,
    /// What became of it.
    pub state: VariableState,
    /// Why, where it is not live.
    pub reason: Option<String>,
}

/// What a runtime confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Every variable of the push.
    pub variables: Vec<Variable>,
}

/// Why a push failed, as a class. Nothing of a peer's text is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// The host name does not resolve.
    Dns,
    /// The connection was refused or cut.
    Refused,
    /// No answer in time.
    Timeout,
    /// No trusted TLS session could be made.
    Tls,
    /// The address lies outside the networks runtimes may live in.
    BlockedAddress,
    /// The runtime does not accept its token. Permanent.
    Auth,
    /// The gateway does not know our device. Permanent.
    NotPaired,
    /// The gateway knows our device and does not let it do what a push needs. Permanent.
    NotAuthorised,
    /// What is to be pushed cannot stand beside what others keep there. Permanent.
    Conflict,
    /// The runtime is starting and asks to be called again.
    Starting,
    /// The answer is not what the contract says.
    BadAnswer,
    /// The runtime answered with an error of its own.
    ServerError,
    /// The runtime refuses the request as such.
    Rejected,
    /// The runtime asked for patience.
    RateLimited,
    /// This service cannot speak to that runtime. Permanent.
    UnsupportedRuntime,
    /// The runtime's own credentials do not open here. Permanent.
    Unreadable,
    /// This service failed, not the runtime.
    Internal,
}

impl FailureClass {
    const ALL: [Self; 17] = [
        Self::Dns,
        Self::Refused,
        Self::Timeout,
        Self::Tls,
        Self::BlockedAddress,
        Self::Auth,
        Self::NotPaired,
        Self::NotAuthorised,
        Self::Conflict,
        Self::Starting,
        Self::BadAnswer,
        Self::ServerError,
        Self::Rejected,
        Self::RateLimited,
        Self::UnsupportedRuntime,
        Self::Unreadable,
        Self::Internal,
    ];

    /// The class on the wire and in the databases.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Tls => "tls",
            Self::BlockedAddress => "blocked_address",
            Self::Auth => "auth",
            Self::NotPaired => "not_paired",
            Self::NotAuthorised => "not_authorised",
            Self::Conflict => "conflict",
            Self::Starting => "starting",
            Self::BadAnswer => "bad_answer",
            Self::ServerError => "server_error",
            Self::Rejected => "rejected",
            Self::RateLimited => "rate_limited",
            Self::UnsupportedRuntime => "unsupported_runtime",
            Self::Unreadable => "unreadable",
            Self::Internal => "internal",
        }
    }

    /// The class with this name.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// Whether trying again without a change to the agent is pointless.
    pub const fn is_permanent(self) -> bool {
        matches!(
            self,
            Self::Auth
                | Self::NotPaired
                | Self::NotAuthorised
                | Self::Conflict
                | Self::UnsupportedRuntime
                | Self::Unreadable
        )
    }

    /// A sentence of ours on what happened and what to do.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Dns => "The runtime's host name does not resolve.",
            Self::Refused => "The runtime refuses connections or cut one.",
            Self::Timeout => "The runtime did not answer in time.",
            Self::Tls => "No trusted TLS session with the runtime could be made.",
            Self::BlockedAddress => {
                "The runtime's address lies outside the networks that runtimes may live in (NORA_RUNTIME_NETWORKS)."
            }
            Self::Auth => "The runtime does not accept its token. Send the right one with PATCH, or ask for a sync.",
            Self::NotPaired => "The gateway does not know this service's device key. Pair it, then ask for a sync.",
            Self::NotAuthorised => {
                "The gateway does not grant this service's device key the scope operator.admin. Approve the device \
                 with that scope, then ask for a sync."
            }
            Self::Conflict => {
                "The runtime holds what others put there, and this push would delete it. Take that away, then try again."
            }
            Self::Starting => "The runtime is starting.",
            Self::BadAnswer => "The runtime's answer does not confirm what was pushed.",
            Self::ServerError => "The runtime answered with an error of its own.",
            Self::Rejected => "The runtime refuses the push.",
            Self::RateLimited => "The runtime asks to wait.",
            Self::UnsupportedRuntime => "This service cannot push to that kind or version of runtime.",
            Self::Unreadable => "The runtime's credentials do not open here. Send them again with PATCH.",
            Self::Internal => "This service failed while it prepared the push.",
        }
    }
}

/// Why a push was not applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// The runtime holds a newer generation and kept it.
    #[error("the runtime holds generation {current}")]
    Superseded {
        /// The generation it holds.
        current: u64,
    },
    /// Nothing was confirmed.
    #[error("the push failed: {}", .class.as_str())]
    Failed {
        /// The class of the failure.
        class: FailureClass,
        /// How long the runtime asked to wait.
        retry_after: Option<Duration>,
    },
}

impl PushError {
    /// A failure of this class.
    pub const fn failed(class: FailureClass) -> Self {
        Self::Failed { class, retry_after: None }
    }
}

/// What a runtime says it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// The agent whose state it holds, if it holds any.
    pub agent: Option<AgentId>,
    /// The generation of that state.
    pub generation: Option<u64>,
}

/// Speaks to runtimes of every kind.
///
/// Every call ends in bounded time. A success is returned only for what the runtime itself confirmed.
#[async_trait]
pub trait RuntimeClient: Send + Sync {
    /// Pushes the whole state.
    ///
    /// Pushing the same state again is harmless. A runtime that holds a newer generation keeps it
    /// ([`PushError::Superseded`]). Where a runtime is written to by others too, `ledger` is told of what is owned
    /// before it is written and after it was confirmed, and nothing that is not owned is changed.
    async fn apply(&self, address: &RuntimeAddress, push: &Push, ledger: &dyn Ledger) -> Result<Applied, PushError>;

    /// Asks what the runtime holds; `None` where runtimes of this kind cannot say, or have no more to say than that
    /// they still hold what is `owned` there. One that has lost some of that says that it holds no generation.
    async fn health(&self, address: &RuntimeAddress, owned: &[OwnedVariable]) -> Result<Option<Health>, PushError>;
}
