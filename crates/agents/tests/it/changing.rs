//! Changing an agent: a credential is bound to where it is sent.

use std::time::Duration;

use nora_agents::ports::{TargetUpdate, UpdateAgentError};
use nora_agents::{ChangeAgent, ChangeAgentError, CreateAgentError, Patch, RuntimeChange, RuntimeKind};
use nora_kernel::audit::{Action, Resource, ResourceKind};
use nora_kernel::{Clock, Unavailable};
use nora_testkit::samples::named;

use crate::support::{Directory, Health, admin, caller, request, runtime, secret};

fn rename(name: &str) -> ChangeAgent {
    ChangeAgent { name: Some(named(name)), ..ChangeAgent::default() }
}

fn runtime_at(url: &str, token: Option<&str>) -> ChangeAgent {
    let runtime =
        RuntimeChange { url: Patch::Set(url.to_owned()), token: token.map(secret), ..RuntimeChange::default() };
    ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() }
}

fn runtime_of(kind: RuntimeKind, token: Option<&str>) -> ChangeAgent {
    let runtime = RuntimeChange { kind: Some(kind), token: token.map(secret), ..RuntimeChange::default() };
    ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() }
}

#[tokio::test]
async fn a_new_name_pushes_nothing() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    directory.is(Health::Down);
    let later = directory.clock.advance(Duration::from_secs(1));
    let changed = directory.change(agent.id, rename("Another")).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.created_at, changed.updated_at), ("Another", agent.created_at, later));
    assert_eq!(changed.runtime, agent.runtime);

    let updates = directory.store.updates.lock().unwrap().clone();
    let [update] = updates.as_slice() else { panic!("{updates:?}") };
    assert!(matches!(update.target, TargetUpdate::Keep));
    assert_eq!((update.id, update.revision, update.name.as_str()), (agent.id, 1, "Another"));
    assert_eq!(update.updated_at, later);
}

#[tokio::test]
async fn the_line_says_who_changed_it() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let by = admin("beta");
    directory.agents.change(&by, agent.id, rename("Another")).await.unwrap();
    let lines = directory.store.lines();
    let line = lines.last().unwrap();
    assert_eq!((line.action, &line.actor, line.request), (Action::AgentUpdated, &by.actor, Some(by.request)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Agent, agent.id));
    assert_eq!(line.workspace, agent.workspace, "the trail of the agent's workspace");
}

#[tokio::test]
async fn an_address_moves_together_with_its_token() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let old = directory.store.stored(agent.id).target;
    let refused = directory.change(agent.id, runtime_at("http://10.0.0.2:9090", None)).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::TokenRequired("runtime")), "{refused}");
    assert!(directory.store.updates.lock().unwrap().is_empty());

    let changed = directory.change(agent.id, runtime_at("http://10.0.0.2:9090", Some("new"))).await.unwrap();
    assert_eq!(changed.runtime.url.unwrap().to_string(), "http://10.0.0.2:9090/");
    let TargetUpdate::Move { to, purge_until } = directory.store.last_target() else { panic!("it lives elsewhere") };
    assert_ne!(to.id, old.id);
    assert_eq!((to.agent, to.secrets_version), (agent.id, 1));
    assert_eq!(purge_until, directory.clock.now().after(Duration::from_hours(24)));
    assert_eq!(directory.exposed(agent.id).await, [Some("new".to_owned()), None, None]);
}

#[tokio::test]
async fn every_part_of_an_address_counts() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    for url in ["https://10.0.0.1:9090", "http://10.0.0.1:9091", "http://10.0.0.1:9090/base", "http://10.0.0.10:9090"] {
        let refused = directory.change(agent.id, runtime_at(url, None)).await.unwrap_err();
        assert!(matches!(refused, ChangeAgentError::TokenRequired("runtime")), "{url}: {refused}");
    }
}

#[tokio::test]
async fn another_kind_is_another_place() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let refused = directory.change(agent.id, runtime_of(RuntimeKind::Sidecar, None)).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::TokenRequired("runtime")), "{refused}");
    let changed = directory.change(agent.id, runtime_of(RuntimeKind::Hermes, Some("new"))).await.unwrap();
    assert_eq!((changed.runtime.kind, changed.runtime.url), (RuntimeKind::Hermes, agent.runtime.url));
    let TargetUpdate::Move { to, .. } = directory.store.last_target() else { panic!("it is spoken to otherwise") };
    assert_eq!(to.kind, RuntimeKind::Hermes);
}

#[tokio::test]
async fn where_there_is_no_token_none_is_asked_for() {
    let directory = Directory::new();
    let sidecar = request(runtime(RuntimeKind::Sidecar, Some("http://10.0.0.1"), None), None);
    let agent = directory.create(sidecar).await.unwrap();
    directory.change(agent.id, runtime_at("http://10.0.0.2", None)).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Move { .. }));
    let refused = directory.change(agent.id, runtime_of(RuntimeKind::Nora, None)).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::Place(CreateAgentError::TokenMissing)), "{refused}");
}

#[tokio::test]
async fn a_new_place_is_refused_like_a_first_one() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    for (url, reason) in [
        ("http://169.254.169.254", "/runtime/url lies outside"),
        ("http://1.1.1.1", "/runtime/url is a public address and needs TLS"),
        ("http://user@10.0.0.1:9090", "/runtime/url must not hold a user name"),
        ("http://10.0.0.1:9090?x", "/runtime/url must not hold a query"),
        ("http://10.0.\t0.1:9090", "/runtime/url is not a URL"),
    ] {
        let refused = directory.change(agent.id, runtime_at(url, Some("new"))).await.unwrap_err().to_string();
        assert!(refused.starts_with(reason), "{url}: {refused}");
    }
    let refused = directory.change(agent.id, runtime_at("http://10.0.0.2", Some("a\nb"))).await.unwrap_err();
    let place = |pointer| matches!(pointer, ChangeAgentError::Place(CreateAgentError::TokenInvalid("/runtime/token")));
    assert!(place(refused));
    let gone = RuntimeChange { url: Patch::Remove, token: Some(secret("new")), ..RuntimeChange::default() };
    let change = ChangeAgent { runtime: Some(gone), ..ChangeAgent::default() };
    let refused = directory.change(agent.id, change).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::Place(CreateAgentError::UrlMissing)), "{refused}");
    assert!(directory.store.updates.lock().unwrap().is_empty());
}

#[tokio::test]
async fn another_workspaces_agent_does_not_exist() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let refused = directory.agents.change(&caller("beta"), agent.id, rename("Mine")).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::NotFound), "{refused}");
    assert_eq!(directory.agents.find(&caller("beta"), agent.id).await.unwrap(), None);
    assert!(directory.agents.find(&admin("beta"), agent.id).await.unwrap().is_some());
}

#[tokio::test]
async fn what_the_store_refuses_is_refused() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let fails = async |error: UpdateAgentError| {
        *directory.store.update_fails.lock().unwrap() = Some(error);
        directory.change(agent.id, rename("Another")).await.unwrap_err()
    };
    assert!(matches!(fails(UpdateAgentError::NotFound).await, ChangeAgentError::NotFound));
    assert!(matches!(fails(UpdateAgentError::Conflict).await, ChangeAgentError::Conflict));
    let taken = fails(UpdateAgentError::GatewayTaken).await;
    assert!(matches!(taken, ChangeAgentError::Place(CreateAgentError::GatewayTaken)), "{taken}");
    let down = fails(UpdateAgentError::Unavailable(Unavailable::transient("down"))).await;
    assert!(matches!(down, ChangeAgentError::Unavailable(_)), "{down}");
}
