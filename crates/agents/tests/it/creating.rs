//! Registering an agent.

use std::time::Duration;

use nora_agents::ports::InsertAgentError;
use nora_agents::{Agent, CreateAgent, CreateAgentError, RuntimeKind, TARGET_COLUMN, TARGET_TABLE};
use nora_kernel::audit::{Action, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, Clock, IdempotentRequest, PageRequest, StoredAnswer, Unavailable, WorkspaceForbidden};
use nora_testkit::samples::named;
use uuid::Uuid;

use crate::support::{Directory, Health, admin, caller, nora, openclaw, request, runtime, taken};

#[tokio::test]
async fn an_agent_is_stored_with_its_target() {
    let directory = Directory::new();
    let agent = directory.create(nora("http://10.0.0.1:9090/base", "hush")).await.unwrap();
    assert_eq!((agent.name.as_str(), agent.workspace.as_str()), ("An agent", "alpha"));
    assert_eq!((agent.created_at, agent.updated_at), (directory.clock.now(), directory.clock.now()));
    assert_eq!((agent.runtime.kind, &agent.gateway), (RuntimeKind::Nora, &None));

    let stored = directory.store.stored(agent.id);
    assert_eq!((&stored.agent, stored.revision), (&agent, 1));
    let target = &stored.target;
    assert_eq!((target.agent, &target.workspace, target.kind), (agent.id, &agent.workspace, RuntimeKind::Nora));
    assert_eq!((&target.url, &target.gateway, &target.device_id), (&agent.runtime.url, &None, &None));
    assert_eq!(directory.exposed(agent.id).await, [Some("hush".to_owned()), None, None]);
}

#[tokio::test]
async fn secrets_are_sealed_for_their_own_row() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let stored = directory.store.stored(agent.id);
    let context = stored.target.context();
    assert_eq!((context.table, context.column, context.version), (TARGET_TABLE, TARGET_COLUMN, 1));
    assert_eq!((context.agent, context.row), (agent.id, stored.target.id.as_uuid()));
    let mut elsewhere = stored.target.clone();
    elsewhere.secrets_version = 2;
    assert!(elsewhere.open(directory.vault.as_ref(), &stored.key).await.is_err());
}

#[tokio::test]
async fn the_line_says_who_registered_it() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let lines = directory.store.lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    let by = caller("alpha");
    assert_eq!((&line.actor, line.request), (&by.actor, Some(by.request)));
    assert_eq!((line.action, line.outcome, line.agent), (Action::AgentCreated, Outcome::Success, Some(agent.id)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Agent, agent.id));
    assert_eq!((&line.workspace, line.at, line.purpose), (&agent.workspace, directory.clock.now(), None));
}

#[tokio::test]
async fn the_platform_may_bring_its_own_id() {
    let directory = Directory::new();
    let id = AgentId::from_uuid(Uuid::from_u128(0xa1b2));
    let with_id = || CreateAgent { id: Some(id), ..nora("http://10.0.0.1", "hush") };
    assert_eq!(directory.create(with_id()).await.unwrap().id, id);
    let refused = directory.agents.create(&admin("beta"), with_id()).await.unwrap_err();
    assert!(matches!(refused, CreateAgentError::AgentExists), "{refused}");
    assert_ne!(directory.nora().await.id, directory.nora().await.id);
}

#[tokio::test]
async fn only_admin_names_another_workspace() {
    let directory = Directory::new();
    let elsewhere = || CreateAgent { workspace: Some(named("beta")), ..nora("http://10.0.0.1", "hush") };
    let refused = directory.create(elsewhere()).await.unwrap_err();
    assert!(matches!(refused, CreateAgentError::Workspace(WorkspaceForbidden)), "{refused}");
    assert_eq!(directory.store.count(), 0);
    let agent = directory.agents.create(&admin("alpha"), elsewhere()).await.unwrap();
    assert_eq!(agent.workspace.as_str(), "beta");
    assert_eq!(directory.store.lines()[0].workspace.as_str(), "beta");
    let list = async |workspace| directory.agents.list(&named(workspace), PageRequest::default()).await.unwrap().items;
    assert_eq!((list("alpha").await, list("beta").await), (vec![], vec![agent]));
}

#[tokio::test]
async fn runtimes_that_need_no_token_get_none() {
    let directory = Directory::new();
    for kind in [RuntimeKind::Sidecar, RuntimeKind::Hermes] {
        let agent = directory.create(request(runtime(kind, Some("http://10.0.0.1"), None), None)).await.unwrap();
        assert_eq!(directory.exposed(agent.id).await, [None, None, None]);
    }
}

#[tokio::test]
async fn the_answer_is_remembered_in_the_same_transaction() {
    fn answer(agent: &Agent) -> StoredAnswer {
        StoredAnswer { status: 201, location: None, body: agent.name.to_string() }
    }
    let directory = Directory::new();
    let asked = IdempotentRequest {
        principal: "api_key:1".to_owned(),
        route: "POST /api/agents".to_owned(),
        key: named("again"),
        body_digest: [7; 32],
    };
    let request = || CreateAgent { idempotency: Some((asked.clone(), answer)), ..nora("http://10.0.0.1:9090", "hush") };
    let agent = directory.create(request()).await.unwrap();
    let answers = directory.store.answers.lock().unwrap().clone();
    assert_eq!(answers, [asked.clone().answered(answer(&agent), directory.clock.now())]);
    assert_eq!(answers[0].expires_at, directory.clock.now().after(Duration::from_hours(24)));

    *directory.store.insert_fails.lock().unwrap() = Some(taken());
    let refused = directory.create(request()).await.unwrap_err();
    assert!(matches!(refused, CreateAgentError::IdempotencyTaken(_)), "{refused}");
}

#[tokio::test]
async fn what_the_store_refuses_is_refused() {
    let directory = Directory::new();
    *directory.store.insert_fails.lock().unwrap() = Some(InsertAgentError::GatewayTaken);
    let refused = directory.create(openclaw("ws://10.0.0.1:18789")).await.unwrap_err();
    assert!(matches!(refused, CreateAgentError::GatewayTaken), "{refused}");
    *directory.store.insert_fails.lock().unwrap() = Some(Unavailable::fault("broken").into());
    let refused = directory.create(nora("http://10.0.0.1", "hush")).await.unwrap_err();
    assert!(matches!(refused, CreateAgentError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn nothing_is_stored_without_the_vault() {
    let directory = Directory::new();
    directory.is(Health::Down);
    let refused = directory.create(nora("http://10.0.0.1", "hush")).await.unwrap_err();
    assert!(matches!(refused, CreateAgentError::Seal(_)), "{refused}");
    assert_eq!(directory.store.count(), 0);
}
