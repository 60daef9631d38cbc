//! A push is the whole state, and it counts when the runtime confirmed it.

use std::time::Duration;

use nora_integrations::Step;
use nora_integrations::ports::{Task, VariableState};
use nora_kernel::audit::{Action, Actor, Resource, ResourceKind};
use nora_kernel::{Clock as _, Purpose};
use serde_json::json;

use crate::support::{Asked, Reaction, World, states};

const PLACE: &str = "http://10.0.0.1:9090/";

#[tokio::test]
async fn a_new_agents_runtime_is_told_the_empty_state() {
    let world = World::new();
    let agent = world.agent().await;
    assert_eq!(world.step().await, Step::Synced);
    let seen = world.runtime.seen();
    assert_eq!((seen.len(), seen[0].url.as_str(), seen[0].token.as_deref()), (1, PLACE, Some("runtime")));
    let pushed = seen[0].pushed.clone().unwrap();
    assert_eq!((pushed.agent, pushed.generation, pushed.env.len()), (Some(agent), 1, 0));
    let record = world.record(agent).await;
    assert_eq!((record.desired, record.applied, record.last_synced_at), (1, 1, Some(world.clock.now())));
    assert!(world.is_quiet().await);
}

#[tokio::test]
async fn everything_is_pushed_every_time() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    let asked = Asked { provider: "database", ..Asked::github("pw") }.with(json!({ "host": "10.0.0.5" }));
    world.wait(1);
    world.connect(agent, asked).await;
    world.settle().await;
    let pushes = world.runtime.pushes();
    assert_eq!(pushes.iter().map(|push| push.generation).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(pushes[1].integrations, ["github/default", "database/default"], "oldest first");
    let names: Vec<_> = pushes[1].env.keys().map(String::as_str).collect();
    assert_eq!(names, ["DATABASE_HOST", "DATABASE_PASSWORD", "GITHUB_TOKEN"]);
    assert_eq!(
        states(&world.view(agent).await.variables),
        ["DATABASE_HOST live", "DATABASE_PASSWORD live", "GITHUB_TOKEN live"]
    );
}

#[tokio::test]
async fn changes_coalesce() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("v1")).await;
    for token in ["v2", "v3", "v4"] {
        world.change(&made, token, json!({})).await.unwrap();
    }
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!(world.env(), ["GITHUB_TOKEN=v4"]);
}

#[tokio::test]
async fn a_change_during_a_push_is_pushed_after_it() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("v1")).await;
    let claim = world.claim().await;
    world.change(&made, "v2", json!({})).await.unwrap();
    let later = claim.clone();
    assert_eq!(world.run(&claim).await, Step::Synced, "what is there when it is read is pushed");
    assert_eq!((world.env(), later.task), (vec!["GITHUB_TOKEN=v2".to_owned()], Task::Push));
    assert!(world.is_quiet().await, "and the change is not pushed twice");
}

#[tokio::test]
async fn every_opening_is_a_line() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let before = world.lines().await.len();
    world.connect(agent, Asked::github("ghp").with(json!({ "signing_secret": "hush" }))).await;
    world.connect(agent, Asked::hub("key").labelled("work")).await;
    world.settle().await;
    let lines = world.lines().await;
    assert_eq!(lines.len(), before + 3, "one for the push, whatever it opens");
    let line = lines.last().unwrap();
    assert_eq!((line.action, line.purpose), (Action::CredentialsOpened, Some(Purpose::Sync)));
    assert_eq!((&line.actor, line.request, line.agent), (&Actor::System, None, Some(agent)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Agent, agent));
    assert_eq!(line.workspace.as_str(), "alpha");
}

#[tokio::test]
async fn a_runtime_says_what_became_of_each_variable() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp").with(json!({ "org": "acme", "signing_secret": "hush" }))).await;
    world.runtime.variables.lock().unwrap().extend([
        ("GITHUB_TOKEN".to_owned(), VariableState::Unsupported),
        ("GITHUB_ORG".to_owned(), VariableState::PendingRedeploy),
    ]);
    world.settle().await;
    let view = world.view(agent).await;
    assert_eq!(
        states(&view.variables),
        ["GITHUB_ORG pending_redeploy", "GITHUB_SIGNING_SECRET live", "GITHUB_TOKEN unsupported"]
    );
}

#[tokio::test]
async fn a_disabled_providers_connections_are_not_pushed() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.connect(agent, Asked::hub("key").labelled("work")).await;
    let world = world.disabling(&["github"]);
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_TOKEN__WORK=key"]);
    assert_eq!(world.runtime.at(PLACE).integrations, ["hub/work"]);
}

#[tokio::test]
async fn a_confirmed_runtime_is_asked_again_in_five_minutes() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let target = world.target(agent).await;
    world.clock.advance(Duration::from_micros(299_999_999));
    assert!(world.is_quiet().await);
    world.clock.advance(Duration::from_micros(1));
    let claim = world.claim().await;
    assert_eq!((claim.target, claim.task), (target, Task::Check));
}

#[tokio::test]
async fn an_outage_ends_in_one_push() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("v0")).await;
    for version in 1..=20 {
        world.runtime.will(Reaction::Fails(nora_integrations::ports::FailureClass::Refused));
        world.change(&made, &format!("v{version}"), json!({})).await.unwrap();
        world.settle().await;
        world.wait(30);
    }
    world.runtime.seen();
    assert_eq!(world.settle().await, [Step::Synced]);
    assert_eq!((world.env(), world.runtime.pushes().len()), (vec!["GITHUB_TOKEN=v20".to_owned()], 1));
}
