//! Audit lines about channels.

use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, AuditId, Caller, ChannelId, Clock, IdSource, Purpose, Workspace};

/// Makes audit lines with fresh ids and the present time.
pub(crate) struct Lines<'a> {
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) clock: &'a dyn Clock,
}

impl Lines<'_> {
    /// A change a caller made to a channel.
    pub(crate) fn change(
        &self,
        caller: &Caller,
        workspace: &Workspace,
        action: Action,
        agent: AgentId,
        channel: ChannelId,
    ) -> AuditLine {
        AuditLine {
            actor: caller.actor.clone(),
            request: Some(caller.request),
            ..self.system(workspace, action, agent, channel)
        }
    }

    /// A channel's secrets are opened, to be kept ready for what comes in.
    pub(crate) fn opened(&self, workspace: &Workspace, agent: AgentId, channel: ChannelId) -> AuditLine {
        AuditLine {
            purpose: Some(Purpose::Verify),
            ..self.system(workspace, Action::CredentialsOpened, agent, channel)
        }
    }

    /// Something that happened to a channel without a caller.
    pub(crate) fn system(
        &self,
        workspace: &Workspace,
        action: Action,
        agent: AgentId,
        channel: ChannelId,
    ) -> AuditLine {
        AuditLine {
            id: AuditId::from_uuid(self.ids.next()),
            at: self.clock.now(),
            workspace: workspace.clone(),
            actor: Actor::System,
            action,
            resource: Resource::new(ResourceKind::Channel, channel),
            agent: Some(agent),
            purpose: None,
            outcome: Outcome::Success,
            request: None,
        }
    }
}
