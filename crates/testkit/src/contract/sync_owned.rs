//! What every `SyncStore` promises about what is owned in runtimes that others write to as well.

use std::time::Duration;

use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate};
use nora_agents::{Gateway, Target};
use nora_integrations::ports::{Claim, Held, OwnedVariable};

use crate::Fixture;
use crate::samples::{http, named, web_socket};
use crate::scene::{LEASE, Scene};

fn variables() -> Vec<OwnedVariable> {
    let confirmed =
        OwnedVariable { name: named("LINEAR_API_KEY"), digest: Some([7; 32]), changed_at_ms: Some(1_795_436_676_254) };
    vec![confirmed, OwnedVariable::intended(named("NOTION_TOKEN"))]
}

async fn record(scene: &Scene<'_>, claim: &Claim, owned: &[OwnedVariable]) -> Held {
    scene.sync().record_owned(claim, owned).await.unwrap()
}

/// What a check and a push are told.
async fn told(scene: &Scene<'_>, claim: &Claim) -> (Vec<OwnedVariable>, Vec<OwnedVariable>) {
    let checked = scene.target(claim).await.unwrap();
    let snapshot = scene.sync().snapshot(claim, &scene.samples.line()).await.unwrap().unwrap();
    (checked.owned, snapshot.owned)
}

/// An agent behind a gateway, whose target owns two variables there and is claimed by nobody.
async fn owner(scene: &Scene<'_>) -> StoredAgent {
    let agent = scene.samples.agent_behind("ws://10.0.0.7:18789");
    scene.insert(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!(record(scene, &claim, &variables()).await, Held::Yes);
    assert_eq!(scene.complete(&claim, 1).await, Held::Yes);
    agent
}

fn behind(scene: &Scene<'_>, agent: &StoredAgent, sidecar: &str, gateway: &str) -> Target {
    let mut runtime = agent.agent.runtime.clone();
    runtime.url = Some(http(sidecar));
    let gateway = Gateway { url: web_socket(gateway), device_id: "d".repeat(64) };
    scene.samples.target(agent.agent.id, &agent.agent.workspace, &runtime, Some(gateway))
}

async fn move_to(scene: &Scene<'_>, agent: &StoredAgent, to: Target) {
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name.clone(),
        updated_at: scene.now(),
        target: TargetUpdate::Move { to, purge_until: scene.now().after(Duration::from_hours(24)) },
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
}

/// What the agent's new target owns, and its old one.
async fn owned_after_move(scene: &Scene<'_>, to: &Target) -> (usize, usize) {
    let mut owned = (0, 0);
    for claim in scene.claim(10).await {
        let (count, _) = told(scene, &claim).await;
        *(if claim.target == to.id { &mut owned.0 } else { &mut owned.1 }) = count.len();
    }
    owned
}

pub async fn a_new_target_owns_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claim = scene.claim_one().await;
    assert_eq!(told(&scene, &claim).await, (Vec::new(), Vec::new()));
}

pub async fn what_is_owned_is_told_to_the_next_worker(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = owner(&scene).await;
    scene.request_sync(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!(told(&scene, &claim).await, (variables(), variables()));
    assert_eq!(record(&scene, &claim, &[]).await, Held::Yes);
    assert_eq!(told(&scene, &claim).await, (Vec::new(), Vec::new()));
}

pub async fn what_is_owned_outlives_a_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = owner(&scene).await;
    scene.request_sync(&agent).await;
    let claim = scene.claim_one().await;
    assert_eq!(record(&scene, &claim, &variables()[..1]).await, Held::Yes);
    assert_eq!(scene.fail(&claim, Some(Duration::from_secs(1)), Some(2)).await, Held::Yes);
    scene.advance(Duration::from_secs(1));
    let claim = scene.claim_one().await;
    assert_eq!(told(&scene, &claim).await.1, &variables()[..1]);
}

pub async fn recording_goes_on_with_the_lease(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claim = scene.claim_one().await;
    assert_eq!(record(&scene, &claim, &variables()).await, Held::Yes);
    assert!(scene.nothing_is_due().await);
    assert_eq!(scene.complete(&claim, 1).await, Held::Yes);
    assert_eq!(record(&scene, &claim, &[]).await, Held::No);
}

pub async fn a_late_worker_records_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let late = scene.claim_one().await;
    scene.advance(LEASE);
    let claim = scene.claim_one().await;
    assert_eq!(record(&scene, &late, &variables()).await, Held::No);
    assert_eq!(told(&scene, &claim).await.0, Vec::new());
}

pub async fn a_target_retired_meanwhile_records_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = owner(&scene).await;
    scene.request_sync(&agent).await;
    let claim = scene.claim_one().await;
    scene.delete(&agent).await;
    assert_eq!(record(&scene, &claim, &[]).await, Held::No);
    scene.advance(LEASE);
    let retired = scene.claim_one().await;
    assert_eq!(told(&scene, &retired).await.1, variables());
    assert_eq!(record(&scene, &retired, &[]).await, Held::Yes);
}

pub async fn a_target_at_the_same_gateway_takes_over(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = owner(&scene).await;
    let to = behind(&scene, &agent, "http://10.0.0.8:9090", "ws://10.0.0.7:18789/path");
    move_to(&scene, &agent, to.clone()).await;
    assert_eq!(owned_after_move(&scene, &to).await, (2, 0));
}

pub async fn a_target_elsewhere_owns_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = owner(&scene).await;
    let to = behind(&scene, &agent, "http://10.0.0.8:9090", "ws://10.0.0.9:18789");
    move_to(&scene, &agent, to.clone()).await;
    assert_eq!(owned_after_move(&scene, &to).await, (0, 2));
}

#[macro_export]
macro_rules! sync_owned_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_owned:
            a_new_target_owns_nothing,
            what_is_owned_is_told_to_the_next_worker,
            what_is_owned_outlives_a_failure,
            recording_goes_on_with_the_lease,
            a_late_worker_records_nothing,
            a_target_retired_meanwhile_records_nothing,
            a_target_at_the_same_gateway_takes_over,
            a_target_elsewhere_owns_nothing,
        }
    };
}
