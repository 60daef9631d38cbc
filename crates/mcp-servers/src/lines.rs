//! Audit lines about MCP servers.

use nora_kernel::audit::{Action, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, Caller, Clock, IdSource, IntegrationId, Purpose, Workspace};

/// Makes audit lines with fresh ids and the present time.
pub(crate) struct Lines<'a> {
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) clock: &'a dyn Clock,
}

impl Lines<'_> {
    /// Something a caller asked for about an agent.
    pub(crate) fn asked(&self, caller: &Caller, workspace: &Workspace, action: Action, agent: AgentId) -> AuditLine {
        self.system(workspace, action, agent, Resource::new(ResourceKind::Agent, agent)).by(caller)
    }

    /// A look at the deployment that opens an agent's credentials.
    pub(crate) fn opened_for(&self, caller: &Caller, workspace: &Workspace, agent: AgentId) -> AuditLine {
        self.asked(caller, workspace, Action::CredentialsOpened, agent).opened_for(Purpose::Deployment)
    }

    /// A redeploy that opens an agent's credentials.
    pub(crate) fn opened(&self, workspace: &Workspace, agent: AgentId) -> AuditLine {
        let resource = Resource::new(ResourceKind::Agent, agent);
        self.system(workspace, Action::CredentialsOpened, agent, resource).opened_for(Purpose::Deployment)
    }

    /// Something that was found out about an integration.
    pub(crate) fn unreadable(&self, workspace: &Workspace, agent: AgentId, integration: IntegrationId) -> AuditLine {
        let resource = Resource::new(ResourceKind::Integration, integration);
        AuditLine {
            outcome: Outcome::Failure,
            ..self.system(workspace, Action::IntegrationUnreadable, agent, resource)
        }
    }

    fn system(&self, workspace: &Workspace, action: Action, agent: AgentId, resource: Resource) -> AuditLine {
        AuditLine::system(self.ids, self.clock, workspace, action, resource).about(agent)
    }
}
