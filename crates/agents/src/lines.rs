//! Audit lines about agents.

use nora_kernel::audit::{Action, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, AuditId, Caller, Workspace};

use crate::Agents;

impl Agents {
    pub(crate) fn line(&self, caller: &Caller, workspace: &Workspace, action: Action, agent: AgentId) -> AuditLine {
        AuditLine {
            id: AuditId::from_uuid(self.ids.next()),
            at: self.clock.now(),
            workspace: workspace.clone(),
            actor: caller.actor.clone(),
            action,
            resource: Resource::new(ResourceKind::Agent, agent),
            agent: Some(agent),
            purpose: None,
            outcome: Outcome::Success,
            request: Some(caller.request),
        }
    }
}
