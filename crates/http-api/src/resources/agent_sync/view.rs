//! What a sync's state looks like.

use nora_integrations::{LastError, Removed, SyncStatus, SyncView, VariableView};
use nora_mcp_servers::DeploymentStatus;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::{DeploymentStateWord, KeyedDigest, PurgeWord, SyncStateWord, Time, VariableStateWord};

/// How far an agent's runtime is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentSync)]
pub(super) struct SyncBody {
    /// How far it is.
    state: SyncStateWord,
    /// The generation the runtime should have.
    #[schema(example = 7)]
    desired_generation: u64,
    /// The generation it confirmed.
    #[schema(example = 7)]
    applied_generation: u64,
    /// When it last confirmed one.
    last_synced_at: Option<Time>,
    /// When the next push is due, while one is.
    next_attempt_at: Option<Time>,
    /// Why the last push failed, until one succeeds.
    last_error: Option<LastErrorBody>,
    /// What became of each variable, by name.
    variables: Vec<VariableBody>,
    /// What was removed, newest first.
    removed: Vec<RemovedBody>,
    /// The document a redeploy hands over.
    deployment: DeploymentBody,
}

/// Why a push failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentSyncError)]
struct LastErrorBody {
    /// The class of the failure: `dns`, `refused`, `timeout`, `tls`, `blocked_address`, `auth`, `not_paired`,
    /// `not_authorised`, `conflict`, `starting`, `bad_answer`, `server_error`, `rejected`, `rate_limited`, `unsupported_runtime`,
    /// `unreadable` or `internal`.
    #[schema(example = "timeout")]
    code: &'static str,
    /// What happened and what to do.
    #[schema(example = "The runtime did not answer in time.")]
    detail: String,
    /// When.
    at: Time,
}

/// An environment variable of an agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentVariable)]
struct VariableBody {
    /// Its name.
    #[schema(example = "SLACK_BOT_TOKEN")]
    name: String,
    /// What became of it.
    state: VariableStateWord,
    /// Why, where it is not live.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// An integration that was removed, and whether its credentials have left the runtime.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RemovedIntegration)]
struct RemovedBody {
    /// Which one it was.
    integration_id: Uuid,
    /// Its provider.
    #[schema(example = "slack")]
    provider: String,
    /// Its label.
    #[schema(example = "default")]
    label: String,
    /// The variables it had set.
    #[schema(example = json!(["SLACK_BOT_TOKEN"]))]
    names: Vec<String>,
    /// Whether its credentials have left the runtime.
    purge: PurgeWord,
    /// When the runtime confirmed a state without it.
    confirmed_at: Option<Time>,
}

/// How the document a redeploy would hand over compares to the one the runtime confirmed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeploymentState)]
struct DeploymentBody {
    /// How far it is.
    state: DeploymentStateWord,
    /// Whether the runtime holds something else than a redeploy would hand over.
    redeploy_required: bool,
    /// The keyed digest of what a redeploy would hand over, credentials included.
    digest: KeyedDigest,
    /// The keyed digest of what the runtime confirmed last.
    applied_digest: Option<KeyedDigest>,
    /// When it confirmed that.
    applied_at: Option<Time>,
    /// When the redeploy that was asked for is tried next, while one is.
    next_attempt_at: Option<Time>,
    /// Why the last redeploy failed, until one succeeds.
    last_error: Option<LastErrorBody>,
}

impl SyncBody {
    pub(super) fn of(view: SyncView, deployment: &DeploymentStatus) -> Self {
        let SyncView { status, variables, removed } = view;
        let SyncStatus { state, desired, applied, last_synced_at, next_attempt_at, last_error } = status;
        Self {
            state: SyncStateWord(state.as_str()),
            desired_generation: desired,
            applied_generation: applied,
            last_synced_at: last_synced_at.map(Time),
            next_attempt_at: next_attempt_at.map(Time),
            last_error: last_error.as_ref().map(LastErrorBody::of),
            variables: variables.into_iter().map(VariableBody::of).collect(),
            removed: removed.into_iter().map(RemovedBody::of).collect(),
            deployment: DeploymentBody::of(deployment),
        }
    }
}

impl DeploymentBody {
    fn of(status: &DeploymentStatus) -> Self {
        Self {
            state: DeploymentStateWord(status.state.as_str()),
            redeploy_required: status.redeploy_required,
            digest: KeyedDigest(status.digest),
            applied_digest: status.applied.map(KeyedDigest),
            applied_at: status.applied_at.map(Time),
            next_attempt_at: status.next_attempt_at.map(Time),
            last_error: status.last_error.as_ref().map(LastErrorBody::of),
        }
    }
}

impl LastErrorBody {
    fn of(error: &LastError) -> Self {
        Self { code: error.class.as_str(), detail: error.detail(), at: Time(error.at) }
    }
}

impl VariableBody {
    fn of(variable: VariableView) -> Self {
        let VariableView { name, state, reason } = variable;
        Self { name: name.to_string(), state: VariableStateWord(state.as_str()), reason }
    }
}

impl RemovedBody {
    fn of(removed: Removed) -> Self {
        let Removed { integration, provider, label, names, confirmed_at } = removed;
        Self {
            integration_id: integration.as_uuid(),
            provider: provider.to_string(),
            label: label.to_string(),
            names: names.iter().map(ToString::to_string).collect(),
            purge: PurgeWord(if confirmed_at.is_some() { "confirmed" } else { "pending" }),
            confirmed_at: confirmed_at.map(Time),
        }
    }
}
