//! Lines of the audit trail: who did what to which thing, and how it ended.

use std::fmt;

use crate::{AgentId, AuditId, Caller, Clock, IdSource, Purpose, RequestId, Timestamp, Workspace};

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The holder of an API key, by the key's record id.
    ApiKey(crate::ApiKeyId),
    /// The subject of a JWT.
    Jwt(String),
    /// This service itself: a worker, or its first start.
    System,
}

impl Actor {
    /// The kind of actor on the wire: `api_key`, `jwt` or `system`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::Jwt(_) => "jwt",
            Self::System => "system",
        }
    }

    /// What tells this actor from others of its kind.
    pub fn id(&self) -> String {
        match self {
            Self::ApiKey(id) => id.to_string(),
            Self::Jwt(subject) => subject.clone(),
            Self::System => "nora".to_owned(),
        }
    }
}

macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The name on the wire and in the databases.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value with this name.
            pub fn from_wire(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.as_str())
            }
        }
    };
}

wire_enum! {
    /// What was done.
    Action {
        /// An agent was registered.
        AgentCreated = "agent.created",
        /// An agent's name, runtime or gateway was changed.
        AgentUpdated = "agent.updated",
        /// An agent was deleted; its runtime is being purged.
        AgentDeleted = "agent.deleted",
        /// A runtime that no longer belongs to an agent confirmed that it holds nothing.
        RuntimePurged = "runtime.purged",
        /// A runtime that no longer belongs to an agent never confirmed, and was given up.
        RuntimePurgeAbandoned = "runtime.purge_abandoned",
        /// A runtime held a newer generation than ours; ours was raised above it.
        GenerationRaised = "agent.generation_raised",
        /// A sync was asked for.
        SyncRequested = "agent.sync_requested",
        /// The set of an agent's MCP servers was replaced.
        McpServersSelected = "agent.mcp_servers_selected",
        /// A redeploy was asked for.
        RedeployRequested = "agent.redeploy_requested",
        /// An integration was connected.
        IntegrationCreated = "integration.created",
        /// An integration's credentials or config were changed.
        IntegrationUpdated = "integration.updated",
        /// An integration was removed.
        IntegrationDeleted = "integration.deleted",
        /// An integration's secrets did not open; it needs to be connected again.
        IntegrationUnreadable = "integration.unreadable",
        /// Credentials were opened, once, for the purpose the line names.
        CredentialsOpened = "credentials.opened",
        /// A webhook channel was made.
        ChannelCreated = "channel.created",
        /// A webhook channel was made that takes whatever is posted to it.
        ChannelCreatedUnverified = "channel.created_unverified",
        /// A webhook channel takes whatever is posted to it from now on.
        ChannelUnverified = "channel.unverified",
        /// A webhook channel was changed.
        ChannelUpdated = "channel.updated",
        /// A webhook channel was removed.
        ChannelDeleted = "channel.deleted",
        /// A webhook channel was given a new secret; the old ones end later.
        ChannelSecretAdded = "channel.secret_added",
        /// A handshake brought a webhook channel its secret.
        ChannelEnrolled = "channel.enrolled",
        /// Events of a webhook channel are delivered once more.
        EventsReplayed = "events.replayed",
        /// An API key was made.
        KeyCreated = "key.created",
        /// An API key was revoked.
        KeyRevoked = "key.revoked",
    }
}

wire_enum! {
    /// What kind of thing a line is about.
    ResourceKind {
        /// An agent.
        Agent = "agent",
        /// An integration.
        Integration = "integration",
        /// A runtime at one address.
        Runtime = "runtime",
        /// A webhook channel.
        Channel = "channel",
        /// A webhook event.
        Event = "event",
        /// An API key.
        Key = "key",
    }
}

wire_enum! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was tried and failed.
        Failure = "failure",
    }
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its kind.
    pub kind: ResourceKind,
    /// Its id.
    pub id: String,
}

impl Resource {
    /// A resource of `kind` with this id.
    pub fn new(kind: ResourceKind, id: impl fmt::Display) -> Self {
        Self { kind, id: id.to_string() }
    }
}

/// One line. Every change writes its line in its own transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLine {
    /// The line's id, version 7: lines sort by it.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// Whose trail it belongs to.
    pub workspace: Workspace,
    /// Who acted.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
    /// The agent it concerns, if one.
    pub agent: Option<AgentId>,
    /// What credentials were opened for.
    pub purpose: Option<Purpose>,
    /// How it ended.
    pub outcome: Outcome,
    /// The request that caused it; `None` for a worker.
    pub request: Option<RequestId>,
}

impl AuditLine {
    /// What this service did by itself, and succeeded in: a fresh id, the present time, no agent, no purpose, no request.
    pub fn system(
        ids: &dyn IdSource,
        clock: &dyn Clock,
        workspace: &Workspace,
        action: Action,
        resource: Resource,
    ) -> Self {
        Self {
            id: AuditId::from_uuid(ids.next()),
            at: clock.now(),
            workspace: workspace.clone(),
            actor: Actor::System,
            action,
            resource,
            agent: None,
            purpose: None,
            outcome: Outcome::Success,
            request: None,
        }
    }

    /// The same as an act of `caller`, by its request.
    #[must_use]
    pub fn by(self, caller: &Caller) -> Self {
        Self { actor: caller.actor.clone(), request: Some(caller.request), ..self }
    }

    /// The same, concerning `agent`.
    #[must_use]
    pub fn about(self, agent: AgentId) -> Self {
        Self { agent: Some(agent), ..self }
    }

    /// The same, where credentials were opened for `purpose`.
    #[must_use]
    pub fn opened_for(self, purpose: Purpose) -> Self {
        Self { purpose: Some(purpose), ..self }
    }
}
