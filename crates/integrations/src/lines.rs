//! Audit lines about integrations.

use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, AuditId, Caller, Clock, IdSource, IntegrationId, Purpose, TargetId, Workspace};

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
        AuditLine {
            actor: caller.actor.clone(),
            request: Some(caller.request),
            ..self.system(workspace, action, agent, Resource::new(ResourceKind::Integration, integration))
        }
    }

    /// A test that opens an integration's credentials.
    pub(crate) fn opened_for_test(
        &self,
        caller: &Caller,
        workspace: &Workspace,
        agent: AgentId,
        integration: IntegrationId,
    ) -> AuditLine {
        AuditLine {
            purpose: Some(Purpose::Test),
            ..self.change(caller, workspace, Action::CredentialsOpened, agent, integration)
        }
    }

    /// A push that opens an agent's credentials.
    pub(crate) fn opened_for_sync(&self, workspace: &Workspace, agent: AgentId) -> AuditLine {
        AuditLine {
            purpose: Some(Purpose::Sync),
            ..self.system(workspace, Action::CredentialsOpened, agent, Resource::new(ResourceKind::Agent, agent))
        }
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
        AuditLine {
            id: AuditId::from_uuid(self.ids.next()),
            at: self.clock.now(),
            workspace: workspace.clone(),
            actor: Actor::System,
            action,
            resource,
            agent: Some(agent),
            purpose: None,
            outcome: Outcome::Success,
            request: None,
        }
    }
}
