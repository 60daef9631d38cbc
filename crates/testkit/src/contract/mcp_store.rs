//! What every `McpStore` promises.

use std::time::Duration;

use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate};
use nora_integrations::ports::NewIntegration;
use nora_kernel::{AgentId, ProviderId, Reach};
use nora_mcp_servers::ports::{AgentServers, Deployed, Redeploy};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{Scene, foreign, within};

async fn find(scene: &Scene<'_>, agent: AgentId) -> Option<AgentServers> {
    scene.mcp().find(&Reach::Everything, agent).await.unwrap()
}

async fn select(scene: &Scene<'_>, agent: &StoredAgent, providers: &[&str]) -> Vec<String> {
    let providers: Vec<ProviderId> = providers.iter().map(|provider| named(provider)).collect();
    let selected = scene.mcp().select(&Reach::Everything, agent.agent.id, &providers, &scene.samples.line()).await;
    let selected = selected.unwrap().unwrap();
    assert_eq!(selected.selected, find(scene, agent.agent.id).await.unwrap().selected);
    selected.selected.iter().map(ToString::to_string).collect()
}

async fn connect(scene: &Scene<'_>, agent: &StoredAgent, provider: &str, label: &str) -> NewIntegration {
    let mut new = scene.samples.integration_labelled(agent, &named(label));
    new.integration.provider = named(provider);
    scene.connect(&new).await;
    new
}

pub async fn what_is_found_is_the_whole(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    connect(&scene, &other, "notion", "default").await;
    let mut oldest_first = Vec::new();
    for (provider, label) in [("gitlab", "second"), ("gitlab", "default"), ("notion", "default")] {
        let new = connect(&scene, &agent, provider, label).await;
        scene.advance(Duration::from_micros(1));
        oldest_first.push(scene.integration(&new).await.unwrap());
    }
    let found = find(&scene, agent.agent.id).await.unwrap();
    assert_eq!((&found.target, &found.key), (&agent.target, &agent.key));
    assert_eq!((found.selected, found.integrations), (Vec::new(), oldest_first));
    assert_eq!((found.deployed, found.redeploy), (Deployed::default(), Redeploy::default()));
}

pub async fn an_agent_without_integrations_is_found(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    assert!(find(&scene, agent.agent.id).await.unwrap().integrations.is_empty());
}

pub async fn only_an_agent_within_reach_is_found(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (id, line) = (agent.agent.id, scene.samples.line());
    connect(&scene, &agent, "gitlab", "default").await;
    assert!(scene.mcp().find(&within(&workspace()), id).await.unwrap().is_some());
    assert!(scene.mcp().find(&foreign(), id).await.unwrap().is_none());
    assert!(scene.mcp().select(&foreign(), id, &[named("gitlab")], &line).await.unwrap().is_none());
    assert!(!scene.has_line(&line).await && find(&scene, id).await.unwrap().selected.is_empty());

    scene.delete(&agent).await;
    assert!(find(&scene, id).await.is_none());
    assert!(scene.mcp().select(&Reach::Everything, id, &[], &line).await.unwrap().is_none());
}

pub async fn a_selection_is_replaced_as_a_whole(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    for provider in ["gitlab", "notion", "stripe"] {
        connect(&scene, &agent, provider, "default").await;
    }
    connect(&scene, &other, "gitlab", "default").await;
    select(&scene, &other, &["gitlab"]).await;
    assert_eq!(select(&scene, &agent, &["stripe", "gitlab", "stripe"]).await, ["gitlab", "stripe"]);
    assert_eq!(select(&scene, &agent, &["notion", "gitlab"]).await, ["gitlab", "notion"]);
    assert!(select(&scene, &agent, &[]).await.is_empty());
    assert_eq!(find(&scene, other.agent.id).await.unwrap().selected, [named("gitlab")]);
}

pub async fn only_a_provider_with_a_readable_integration_is_selected(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let broken = connect(&scene, &agent, "gitlab", "default").await;
    connect(&scene, &agent, "notion", "default").await;
    scene.sync().mark_unreadable(broken.integration.id, 1, &scene.samples.line()).await.unwrap();
    assert_eq!(select(&scene, &agent, &["gitlab", "notion", "stripe"]).await, ["notion"]);
}

pub async fn a_selection_writes_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let line = scene.samples.line();
    scene.mcp().select(&Reach::Everything, agent.agent.id, &[], &line).await.unwrap();
    assert!(scene.has_line(&line).await);
}

pub async fn an_opening_writes_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let line = scene.samples.line();
    scene.mcp().opening(&line).await.unwrap();
    assert!(scene.has_line(&line).await);
}

pub async fn the_last_integration_takes_the_selection_with_it(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let (first, last) =
        (connect(&scene, &agent, "gitlab", "default").await, connect(&scene, &agent, "gitlab", "second").await);
    connect(&scene, &agent, "notion", "default").await;
    select(&scene, &agent, &["gitlab", "notion"]).await;
    scene.disconnect(&first).await;
    assert_eq!(find(&scene, agent.agent.id).await.unwrap().selected, [named("gitlab"), named("notion")]);
    scene.disconnect(&last).await;
    assert_eq!(find(&scene, agent.agent.id).await.unwrap().selected, [named("notion")]);
    connect(&scene, &agent, "gitlab", "default").await;
    assert_eq!(find(&scene, agent.agent.id).await.unwrap().selected, [named("notion")]);
}

pub async fn two_last_integrations_at_once_take_the_selection_with_them(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for round in 0..10 {
        let agent = scene.add_agent().await;
        let (one, other) =
            (connect(&scene, &agent, "gitlab", "default").await, connect(&scene, &agent, "gitlab", "second").await);
        select(&scene, &agent, &["gitlab"]).await;
        tokio::join!(scene.disconnect(&one), scene.disconnect(&other));
        assert!(find(&scene, agent.agent.id).await.unwrap().selected.is_empty(), "round {round}");
    }
}

pub async fn no_selection_outlives_a_removal_at_the_same_time(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for round in 0..10 {
        let agent = scene.add_agent().await;
        let new = connect(&scene, &agent, "gitlab", "default").await;
        let (id, line) = (agent.agent.id, scene.samples.line());
        let selecting = async {
            scene.elsewhere().mcp().select(&Reach::Everything, id, &[named("gitlab")], &line).await.unwrap();
        };
        tokio::join!(scene.disconnect(&new), selecting);
        assert!(find(&scene, id).await.unwrap().selected.is_empty(), "round {round}");
    }
}

pub async fn of_two_selections_at_once_one_wins_whole(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    for provider in ["gitlab", "notion", "stripe", "supabase"] {
        connect(&scene, &agent, provider, "default").await;
    }
    let (one, other) = ([named("gitlab"), named("notion")], [named("stripe"), named("supabase")]);
    let (id, mcp, elsewhere) = (agent.agent.id, scene.mcp(), scene.elsewhere().mcp());
    for _ in 0..10 {
        let (first, second) = (scene.samples.line(), scene.samples.line());
        let (here, there) = tokio::join!(
            mcp.select(&Reach::Everything, id, &one, &first),
            elsewhere.select(&Reach::Everything, id, &other, &second)
        );
        assert_eq!(
            (&here.unwrap().unwrap().selected[..], &there.unwrap().unwrap().selected[..]),
            (&one[..], &other[..])
        );
        let selected = find(&scene, id).await.unwrap().selected;
        assert!(selected == one || selected == other, "{selected:?}");
    }
}

pub async fn a_selection_survives_a_move(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    connect(&scene, &agent, "gitlab", "default").await;
    select(&scene, &agent, &["gitlab"]).await;
    let to = scene.samples.target_elsewhere(&agent);
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name.clone(),
        updated_at: scene.now(),
        target: TargetUpdate::Move { to: to.clone(), purge_until: scene.now().after(Duration::from_hours(1)) },
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
    let found = find(&scene, agent.agent.id).await.unwrap();
    assert_eq!((found.target, found.selected), (to, vec![named("gitlab")]));
}

#[macro_export]
macro_rules! mcp_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => mcp_store:
            what_is_found_is_the_whole,
            an_agent_without_integrations_is_found,
            only_an_agent_within_reach_is_found,
            a_selection_is_replaced_as_a_whole,
            only_a_provider_with_a_readable_integration_is_selected,
            a_selection_writes_its_line,
            an_opening_writes_its_line,
            the_last_integration_takes_the_selection_with_it,
            two_last_integrations_at_once_take_the_selection_with_them,
            no_selection_outlives_a_removal_at_the_same_time,
            of_two_selections_at_once_one_wins_whole,
            a_selection_survives_a_move,
        }
    };
}
