//! Two integrations that want one name: the older has it, and the younger gets it when the older is gone.

use serde_json::json;

use crate::support::{Asked, World, states};

#[tokio::test]
async fn the_younger_ones_variable_is_a_conflict() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.wait(1);
    world.connect(agent, Asked::hub("key")).await;
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
    let variables = world.view(agent).await.variables;
    assert_eq!(states(&variables), ["GITHUB_TOKEN live", "GITHUB_TOKEN conflict"]);
    let reason = "An older integration of this agent sets the same variable.";
    assert_eq!((variables[0].reason.as_deref(), variables[1].reason.as_deref()), (None, Some(reason)));
}

#[tokio::test]
async fn the_younger_one_gets_the_name_when_the_older_goes() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let older = world.connect(agent, Asked::github("ghp")).await;
    world.wait(1);
    world.connect(agent, Asked::hub("key")).await;
    world.settle().await;
    world.remove(&older).await;
    assert_eq!(world.view(agent).await.variables, [], "the live value is the older one's");
    world.settle().await;
    assert_eq!(
        (world.env(), states(&world.view(agent).await.variables)),
        (vec!["GITHUB_TOKEN=key".to_owned()], vec!["GITHUB_TOKEN live".to_owned()])
    );
}

#[tokio::test]
async fn the_older_one_keeps_its_name_when_the_younger_goes() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    world.wait(1);
    let younger = world.connect(agent, Asked::hub("key")).await;
    world.settle().await;
    world.remove(&younger).await;
    assert_eq!(states(&world.view(agent).await.variables), ["GITHUB_TOKEN live"], "nothing about it has changed");
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
}

#[tokio::test]
async fn a_name_that_the_older_one_gives_up_is_not_shown_as_the_youngers() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let older = world.connect(agent, Asked::github("ghp").with(json!({ "org": "acme" }))).await;
    world.wait(1);
    world.connect(agent, Asked::hub("key").labelled("default").with(json!({ "owner": "hub" }))).await;
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=acme", "GITHUB_TOKEN=ghp"]);
    world.change(&older, "", json!({ "org": null })).await.unwrap();
    assert_eq!(states(&world.view(agent).await.variables), ["GITHUB_TOKEN conflict"]);
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=hub", "GITHUB_TOKEN=ghp"]);
}

#[tokio::test]
async fn a_name_that_the_older_one_takes_is_lost_to_the_younger() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let older = world.connect(agent, Asked::github("ghp")).await;
    world.wait(1);
    world.connect(agent, Asked::hub("key").with(json!({ "owner": "hub" }))).await;
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=hub", "GITHUB_TOKEN=ghp"]);
    world.change(&older, "", json!({ "org": "acme" })).await.unwrap();
    assert_eq!(
        states(&world.view(agent).await.variables),
        ["GITHUB_ORG conflict", "GITHUB_TOKEN conflict"],
        "the older one's own are pending"
    );
    world.settle().await;
    assert_eq!(world.env(), ["GITHUB_ORG=acme", "GITHUB_TOKEN=ghp"]);
}
