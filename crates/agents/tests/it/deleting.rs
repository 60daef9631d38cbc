//! Deleting an agent, and asking for its sync.

use std::time::Duration;

use nora_agents::DeleteAgentError;
use nora_kernel::audit::{Action, Resource, ResourceKind};
use nora_kernel::{AgentId, Clock};
use uuid::Uuid;

use crate::support::{Directory, admin, caller};

#[tokio::test]
async fn a_deleted_agents_runtime_is_asked_for_a_day() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let by = caller("alpha");
    directory.agents.delete(&by, agent.id).await.unwrap();
    let until = directory.clock.now().after(Duration::from_hours(24));
    assert_eq!(*directory.store.deleted.lock().unwrap(), [(agent.id, until)]);
    let lines = directory.store.lines();
    let line = lines.last().unwrap();
    assert_eq!((line.action, &line.actor, line.request), (Action::AgentDeleted, &by.actor, Some(by.request)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Agent, agent.id));
}

#[tokio::test]
async fn a_sync_is_asked_for() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    directory.agents.request_sync(&admin("beta"), agent.id).await.unwrap();
    assert_eq!(*directory.store.sync_requests.lock().unwrap(), [agent.id]);
    let lines = directory.store.lines();
    let line = lines.last().unwrap();
    assert_eq!((line.action, &line.workspace), (Action::SyncRequested, &agent.workspace));
}

#[tokio::test]
async fn what_is_not_there_for_a_caller_is_not_found() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let unknown = AgentId::from_uuid(Uuid::from_u128(9));
    for (who, id) in [(caller("beta"), agent.id), (caller("alpha"), unknown), (admin("alpha"), unknown)] {
        let refused = directory.agents.delete(&who, id).await.unwrap_err();
        assert!(matches!(refused, DeleteAgentError::NotFound), "{refused}");
        let refused = directory.agents.request_sync(&who, id).await.unwrap_err();
        assert!(matches!(refused, DeleteAgentError::NotFound), "{refused}");
    }
    assert_eq!(directory.store.lines().len(), 1);
}

#[tokio::test]
async fn what_goes_meanwhile_is_not_found() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    directory.store.vanishing.lock().unwrap().push(agent.id);
    let refused = directory.agents.delete(&caller("alpha"), agent.id).await.unwrap_err();
    assert!(matches!(refused, DeleteAgentError::NotFound), "{refused}");
    let refused = directory.agents.request_sync(&caller("alpha"), agent.id).await.unwrap_err();
    assert!(matches!(refused, DeleteAgentError::NotFound), "{refused}");
}
