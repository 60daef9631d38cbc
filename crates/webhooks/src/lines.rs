//! Audit lines about channels.

use nora_kernel::audit::{Action, AuditLine, Resource, ResourceKind};
use nora_kernel::{AgentId, Caller, ChannelId, Clock, IdSource, Purpose, Workspace};

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
        self.system(workspace, action, agent, channel).by(caller)
    }

    /// A channel's secrets are opened, to be kept ready for what comes in.
    pub(crate) fn opened(&self, workspace: &Workspace, agent: AgentId, channel: ChannelId) -> AuditLine {
        self.system(workspace, Action::CredentialsOpened, agent, channel).opened_for(Purpose::Verify)
    }

    /// Something that happened to a channel without a caller.
    pub(crate) fn system(
        &self,
        workspace: &Workspace,
        action: Action,
        agent: AgentId,
        channel: ChannelId,
    ) -> AuditLine {
        let resource = Resource::new(ResourceKind::Channel, channel);
        AuditLine::system(self.ids, self.clock, workspace, action, resource).about(agent)
    }
}
