//! Audit lines about agents.

use nora_kernel::audit::{Action, AuditLine, Resource, ResourceKind};
use nora_kernel::{AgentId, Caller, Workspace};

use crate::Agents;

impl Agents {
    pub(crate) fn line(&self, caller: &Caller, workspace: &Workspace, action: Action, agent: AgentId) -> AuditLine {
        let resource = Resource::new(ResourceKind::Agent, agent);
        AuditLine::system(&*self.ids, &*self.clock, workspace, action, resource).about(agent).by(caller)
    }
}
