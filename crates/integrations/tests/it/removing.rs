//! Removing: the next push is a whole state without it, even if that is the empty one.

use nora_integrations::{Integration, RemoveError};
use nora_kernel::audit::{Action, Resource, ResourceKind};
use nora_kernel::{Caller, Clock as _};
use nora_testkit::samples::named;
use serde_json::json;

use crate::support::{Asked, World, admin, caller};

async fn names(world: &World, of: &Integration) -> Vec<String> {
    world.remove(of).await;
    let removed = world.view(of.agent).await.removed;
    let newest = removed.iter().find(|removed| removed.integration == of.id).unwrap();
    newest.names.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_last_one_leaves_the_empty_state() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
    world.runtime.seen();

    world.remove(&made).await;
    assert_eq!(world.list(agent).await, []);
    assert_eq!(world.settle().await.len(), 1);
    let pushes = world.runtime.pushes();
    assert_eq!((pushes.len(), pushes[0].env.len(), pushes[0].integrations.len()), (1, 0, 0));
    assert_eq!(world.env(), [""; 0]);
}

#[tokio::test]
async fn what_it_set_is_remembered_until_it_is_purged() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made =
        world.connect(agent, Asked::github("ghp").with(json!({ "org": "acme", "signing_secret": "hush" }))).await;
    world.settle().await;
    assert_eq!(names(&world, &made).await, ["GITHUB_TOKEN", "GITHUB_SIGNING_SECRET", "GITHUB_ORG"]);
    let removed = world.view(agent).await.removed.remove(0);
    assert_eq!((removed.provider.as_str(), removed.label.as_str()), ("github", "default"));
    assert_eq!(removed.confirmed_at, None);
    world.wait(1);
    world.settle().await;
    assert_eq!(world.view(agent).await.removed[0].confirmed_at, Some(world.clock.now()));
}

#[tokio::test]
async fn names_are_those_it_really_set() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let labelled = world.connect(agent, Asked::github("ghp").labelled("prod-eu")).await;
    assert_eq!(names(&world, &labelled).await, ["GITHUB_TOKEN__PROD_EU"]);
    let asked = Asked { provider: "database", ..Asked::github("pw") };
    let database = world.connect(agent, asked.with(json!({ "host": "10.0.0.5", "port": 5432 }))).await;
    assert_eq!(names(&world, &database).await, ["DATABASE_PASSWORD", "DATABASE_HOST", "DATABASE_PORT"]);
}

#[tokio::test]
async fn a_provider_that_is_gone_is_removed_all_the_same() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    let world = world.forgetting_providers();
    world.remove(&made).await;
    assert_eq!(world.list(agent).await, []);
    assert_eq!(world.view(agent).await.removed[0].names, []);
}

#[tokio::test]
async fn the_line_says_who_removed_it() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    let by = admin();
    world.connections.remove(&by, agent, made.id).await.unwrap();
    let line = world.last_line().await;
    assert_eq!((line.action, &line.actor, line.at), (Action::IntegrationDeleted, &by.actor, world.clock.now()));
    assert_eq!((line.resource, line.workspace.as_str()), (Resource::new(ResourceKind::Integration, made.id), "alpha"));
}

#[tokio::test]
async fn what_is_not_there_for_a_caller_is_not_found() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    let elsewhere = world.agent_at("http://10.0.0.2:9090").await;
    let stranger = Caller { workspace: named("beta"), ..caller() };
    for (who, agent) in [(&stranger, agent), (&caller(), elsewhere)] {
        let refused = world.connections.remove(who, agent, made.id).await.unwrap_err();
        assert!(matches!(refused, RemoveError::NotFound), "{refused}");
    }
    world.remove(&made).await;
    let again = world.connections.remove(&caller(), agent, made.id).await.unwrap_err();
    assert!(matches!(again, RemoveError::NotFound), "{again}");
}
