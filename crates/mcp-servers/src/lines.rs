//! Audit lines about MCP servers.

use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, AuditId, Caller, Clock, IdSource, IntegrationId, Purpose, Workspace};

/// Makes audit lines with fresh ids and the present time.
pub(crate) struct Lines<'a> {
    pub(crate) ids: &'a dyn IdSource,
    pub(crate) clock: &'a dyn Clock,
}

impl Lines<'_> {
    /// Something a caller asked for about an agent.
    pub(crate) fn asked(&self, caller: &Caller, workspace: &Workspace, action: Action, agent: AgentId) -> AuditLine {
        AuditLine {
            actor: caller.actor.clone(),
            request: Some(caller.request),
            ..self.system(workspace, action, agent, Resource::new(ResourceKind::Agent, agent))
        }
    }

    /// A look at the deployment that opens an agent's credentials.
    pub(crate) fn opened_for(&self, caller: &Caller, workspace: &Workspace, agent: AgentId) -> AuditLine {
        AuditLine {
            purpose: Some(Purpose::Deployment),
            ..self.asked(caller, workspace, Action::CredentialsOpened, agent)
        }
    }

    /// A redeploy that opens an agent's credentials.
    pub(crate) fn opened(&self, workspace: &Workspace, agent: AgentId) -> AuditLine {
        let resource = Resource::new(ResourceKind::Agent, agent);
        AuditLine {
            purpose: Some(Purpose::Deployment),
            ..self.system(workspace, Action::CredentialsOpened, agent, resource)
        }
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
