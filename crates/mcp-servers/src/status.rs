//! How the deployment a runtime holds compares to the one a redeploy would hand over.

use std::sync::Arc;

use nora_agents::RuntimeKind;
use nora_integrations::LastError;
use nora_integrations::ports::FailureClass;
use nora_kernel::Timestamp;

use crate::Omitted;
use crate::look::Look;
use crate::ports::AgentServers;
use crate::shown::ShownServer;

/// Where an agent's deployment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    /// The runtime confirmed what a redeploy would hand over.
    InSync,
    /// A redeploy is due or under way.
    Pending,
    /// The last redeploy failed.
    Failing,
    /// Runtimes of this kind take no deployment.
    Unsupported,
}

impl DeploymentState {
    /// The state on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Pending => "pending",
            Self::Failing => "failing",
            Self::Unsupported => "unsupported",
        }
    }
}

/// How an agent's deployment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// In a word.
    pub state: DeploymentState,
    /// Whether the runtime holds something else than a redeploy would hand over.
    pub redeploy_required: bool,
    /// The keyed digest of what a redeploy would hand over.
    pub digest: [u8; 32],
    /// The keyed digest of what the runtime confirmed last.
    pub applied: Option<[u8; 32]>,
    /// When it confirmed that.
    pub applied_at: Option<Timestamp>,
    /// When the redeploy that was asked for is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last redeploy failed, until one succeeds.
    pub last_error: Option<LastError>,
}

/// What a redeploy would hand over.
#[derive(Debug, Clone)]
pub struct DeploymentView {
    /// The kind of runtime it would be handed to.
    pub kind: RuntimeKind,
    pub(crate) look: Arc<Look>,
}

impl DeploymentView {
    /// Its keyed digest, values included.
    pub fn digest(&self) -> &[u8; 32] {
        &self.look.digest
    }

    /// Its servers, in the order of their names.
    pub fn servers(&self) -> &[ShownServer] {
        &self.look.servers
    }

    /// Servers that are switched on and are not in it.
    pub fn omitted(&self) -> &[Omitted] {
        &self.look.omitted
    }
}

pub(crate) fn status(found: &AgentServers, look: &Look) -> DeploymentStatus {
    let AgentServers { target, deployed, redeploy, .. } = found;
    // A runtime that never confirmed anything holds nothing.
    let redeploy_required = deployed.digest.map_or(!look.servers.is_empty(), |applied| applied != look.digest);
    let last_error = redeploy.last_failure.as_ref().map(|failure| {
        let by_pairing = matches!(failure.class, FailureClass::NotPaired | FailureClass::NotAuthorised);
        let device_id = target.device_id.clone().filter(|_| by_pairing);
        LastError { class: failure.class, at: failure.at, device_id }
    });
    let takes_none = last_error.as_ref().is_some_and(|error| error.class == FailureClass::UnsupportedRuntime)
        || (target.kind == RuntimeKind::Sidecar && target.gateway.is_none());
    let state = match (redeploy.is_pending, redeploy_required) {
        (false, false) => DeploymentState::InSync,
        _ if takes_none => DeploymentState::Unsupported,
        _ if last_error.is_some() => DeploymentState::Failing,
        _ => DeploymentState::Pending,
    };
    DeploymentStatus {
        state,
        redeploy_required,
        digest: look.digest,
        applied: deployed.digest,
        applied_at: deployed.at,
        next_attempt_at: redeploy.next_attempt_at,
        last_error,
    }
}
