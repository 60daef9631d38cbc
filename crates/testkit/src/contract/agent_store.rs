//! What every `AgentStore` promises about adding, finding and listing agents.

use std::time::Duration;

use nora_agents::ports::{InsertAgentError, StoredAgent};
use nora_agents::{Agent, Gateway};
use nora_integrations::ports::{Role, Task};
use nora_kernel::{Page, PageRequest, Reach, Workspace};

use crate::Fixture;
use crate::samples::{http, named, web_socket, workspace};
use crate::scene::{Scene, foreign, within};

async fn listed(scene: &Scene<'_>, workspace: &Workspace) -> Vec<Agent> {
    scene.agents().list(workspace, PageRequest::default()).await.unwrap().items
}

/// Tries to add `agent` and checks that a refusal leaves neither it nor its line behind.
async fn refused(scene: &Scene<'_>, agent: &StoredAgent) -> InsertAgentError {
    let (line, answer) = (scene.samples.line_in(&agent.agent.workspace), scene.samples.answer("refused"));
    let error = scene.agents().insert(agent, &line, Some(&answer)).await.unwrap_err();
    assert!(!scene.has_line(&line).await);
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), None);
    error
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut full = scene.samples.agent_behind("wss://gateway.example:8443/base");
    full.agent.name = named("Агент 🤖 'quoted'");
    full.agent.runtime.url = Some(http("https://runtime.example/base/"));
    full.target.url.clone_from(&full.agent.runtime.url);
    full.agent.updated_at = scene.now().after(Duration::from_micros(1));
    let bare = scene.samples.agent_behind("ws://10.0.0.3:1");
    for agent in [&full, &bare] {
        scene.insert(agent).await;
        assert_eq!(scene.found(agent).await.as_ref(), Some(agent));
    }
    assert_eq!(listed(&scene, &workspace()).await, [bare.agent, full.agent]);
}

pub async fn insert_writes_the_line_and_the_answer_with_the_agent(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line, answer) = (scene.samples.agent(), scene.samples.line(), scene.samples.answer("one"));
    scene.agents().insert(&agent, &line, Some(&answer)).await.unwrap();
    assert_eq!((scene.found(&agent).await, scene.lines().await), (Some(agent), vec![line]));
    let found = scene.idempotency().find(&answer.principal, &answer.route, &answer.key, scene.now()).await;
    assert_eq!(found.unwrap(), Some(answer));
}

pub async fn a_new_agent_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_synced_at), (1, 0, None));
    let claim = scene.claim_one().await;
    assert_eq!((claim.target, claim.agent, claim.workspace), (agent.target.id, agent.agent.id, workspace()));
    assert_eq!((claim.role, claim.task, claim.applied), (Role::Live, Task::Push, 0));
}

pub async fn an_id_is_taken_in_every_workspace(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let first = scene.add_agent().await;
    let mut second = scene.samples.agent_in(&named("beta"));
    second.agent.id = first.agent.id;
    second.target.agent = first.agent.id;
    assert!(matches!(refused(&scene, &second).await, InsertAgentError::AgentExists));
    assert_eq!(scene.found(&first).await, Some(first));
    assert_eq!(listed(&scene, &named("beta")).await, []);
}

pub async fn an_id_is_taken_while_its_agent_is_purged(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.delete(&agent).await;
    let mut again = scene.samples.agent();
    again.agent.id = agent.agent.id;
    again.target.agent = agent.agent.id;
    assert!(matches!(refused(&scene, &again).await, InsertAgentError::AgentExists));
    assert_eq!(scene.found(&agent).await, None);
}

pub async fn a_gateway_belongs_to_one_agent(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let first = scene.samples.agent_behind("wss://gateway.example/one");
    scene.insert(&first).await;
    // The same origin, spelled with its port and another path.
    let mut second = scene.samples.agent_behind("wss://gateway.example:443/two");
    assert!(matches!(refused(&scene, &second).await, InsertAgentError::GatewayTaken));
    assert_eq!(scene.found(&second).await, None);

    let gateway = Gateway { url: web_socket("wss://gateway.example:444/two"), device_id: "e".repeat(64) };
    second.target.gateway = Some(gateway.url.clone());
    second.target.device_id = Some(gateway.device_id.clone());
    second.agent.gateway = Some(gateway);
    scene.insert(&second).await;
    assert_eq!(scene.found(&second).await, Some(second));
}

pub async fn a_retired_target_keeps_no_gateway(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let first = scene.samples.agent_behind("ws://10.0.0.9:1");
    scene.insert(&first).await;
    scene.delete(&first).await;
    let second = scene.samples.agent_behind("ws://10.0.0.9:1");
    scene.insert(&second).await;
    assert_eq!(scene.found(&second).await, Some(second));
}

pub async fn a_repeated_request_adds_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (first, answer) = (scene.samples.agent(), scene.samples.answer("one"));
    scene.agents().insert(&first, &scene.samples.line(), Some(&answer)).await.unwrap();

    let (second, line, other) = (scene.samples.agent(), scene.samples.line(), scene.samples.answer("one"));
    let error = scene.agents().insert(&second, &line, Some(&other)).await.unwrap_err();
    assert!(matches!(error, InsertAgentError::IdempotencyTaken(_)), "{error:?}");
    assert_eq!(scene.found(&second).await, None);
    assert!(!scene.has_line(&line).await);
    assert_eq!(scene.claim(10).await.len(), 1);
}

pub async fn a_repeated_request_is_told_so_before_anything_else(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, answer) = (scene.samples.agent_behind("ws://10.0.0.9:1"), scene.samples.answer("one"));
    scene.agents().insert(&agent, &scene.samples.line(), Some(&answer)).await.unwrap();
    let error = scene.agents().insert(&agent, &scene.samples.line(), Some(&answer)).await.unwrap_err();
    assert!(matches!(error, InsertAgentError::IdempotencyTaken(_)), "{error:?}");
}

pub async fn find_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let id = agent.agent.id;
    assert_eq!(scene.agents().find(&foreign(), id).await.unwrap(), None);
    assert_eq!(scene.agents().find(&within(&workspace()), id).await.unwrap().as_ref(), Some(&agent));
    assert_eq!(scene.agents().find(&Reach::Everything, id).await.unwrap(), Some(agent));
}

pub async fn an_unknown_agent_is_not_found(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    assert_eq!(scene.found(&scene.samples.agent()).await, None);
}

pub async fn list_keeps_to_its_workspace(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let own = scene.add_agent().await;
    let other = scene.samples.agent_in(&named("beta"));
    scene.insert(&other).await;
    assert_eq!(listed(&scene, &workspace()).await, [own.agent]);
    assert_eq!(listed(&scene, &named("beta")).await, [other.agent]);
    assert_eq!(listed(&scene, &named("gamma")).await, []);
}

pub async fn list_pages_newest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut newest_first = Vec::new();
    for wait in [0, 0, 1, 0, 1] {
        scene.advance(Duration::from_micros(wait));
        newest_first.insert(0, scene.add_agent().await.agent);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { limit: named("2"), after };
        let Page { items, next } = scene.agents().list(&workspace(), request).await.unwrap();
        assert!(items.len() <= 2, "{items:?}");
        seen.extend(items);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, newest_first);
}

#[macro_export]
macro_rules! agent_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => agent_store:
            every_field_survives,
            insert_writes_the_line_and_the_answer_with_the_agent,
            a_new_agent_is_due_at_once,
            an_id_is_taken_in_every_workspace,
            an_id_is_taken_while_its_agent_is_purged,
            a_gateway_belongs_to_one_agent,
            a_retired_target_keeps_no_gateway,
            a_repeated_request_adds_nothing,
            a_repeated_request_is_told_so_before_anything_else,
            find_keeps_to_its_reach,
            an_unknown_agent_is_not_found,
            list_keeps_to_its_workspace,
            list_pages_newest_first,
        }
    };
}
