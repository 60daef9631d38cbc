//! Audit lines about integrations.

use nora_kernel::audit::{Action, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, Caller, Clock, IdSource, IntegrationId, Purpose, TargetId, Workspace};

/// Makes audit lines with fresh ids and the present time.
pub(crate) struct Lines<'a> {
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) clock: &'a dyn Clock,
}

impl Lines<'_> {
    /// A change a caller made to an integration.
    pub(crate) fn change(
        &self,
        caller: &Caller,
        workspace: &Workspace,
        action: Action,
        agent: AgentId,
        integration: IntegrationId,
    ) -> AuditLine {
        self.system(workspace, action, agent, Resource::new(ResourceKind::Integration, integration)).by(caller)
    }

    /// A test that opens an integration's credentials.
    pub(crate) fn opened_for_test(
        &self,
        caller: &Caller,
        workspace: &Workspace,
        agent: AgentId,
        integration: IntegrationId,
    ) -> AuditLine {
        self.change(caller, workspace, Action::CredentialsOpened, agent, integration).opened_for(Purpose::Test)
    }

    /// A push that opens an agent's credentials.
    pub(crate) fn opened_for_sync(&self, workspace: &Workspace, agent: AgentId) -> AuditLine {
        let resource = Resource::new(ResourceKind::Agent, agent);
        self.system(workspace, Action::CredentialsOpened, agent, resource).opened_for(Purpose::Sync)
    }

    /// Something a worker did about a target.
    pub(crate) fn target(
        &self,
        workspace: &Workspace,
        action: Action,
        agent: AgentId,
        target: TargetId,
        outcome: Outcome,
    ) -> AuditLine {
        AuditLine { outcome, ..self.system(workspace, action, agent, Resource::new(ResourceKind::Runtime, target)) }
    }

    /// Something a worker found out about an integration.
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
