//! What every `SyncStore` promises about reading what a push needs.

use std::collections::BTreeSet;

use std::time::Duration;

use nora_agents::ports::{AgentUpdate, TargetUpdate};
use nora_integrations::ports::{CheckedTarget, Claim, NewIntegration, Snapshot};
use nora_kernel::{IntegrationId, Sealed};

use crate::Fixture;
use crate::samples::named;
use crate::scene::{LEASE, Scene};

/// The snapshot of a claim, and whether its line was written.
async fn taken(scene: &Scene<'_>, claim: &Claim) -> (Option<Snapshot>, bool) {
    let line = scene.samples.line();
    let snapshot = scene.sync().snapshot(claim, &line).await.unwrap();
    (snapshot, scene.has_line(&line).await)
}

fn ids(snapshot: &Snapshot) -> Vec<IntegrationId> {
    snapshot.integrations.iter().map(|stored| stored.integration.id).collect()
}

pub async fn a_snapshot_is_the_whole_state(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.samples.agent());
    let mut oldest_first: Vec<NewIntegration> = Vec::new();
    for (number, wait) in [0, 0, 1, 0].into_iter().enumerate() {
        scene.advance(Duration::from_micros(wait));
        let new = scene.samples.integration_labelled(&agent, &named(&format!("label-{number}")));
        scene.connect(&new).await;
        oldest_first.push(new);
    }
    scene.sync().mark_unreadable(oldest_first[1].integration.id, 1, &scene.samples.line()).await.unwrap();
    let claim = scene.claim_one().await;
    scene.insert(&other).await;
    scene.add_integration(&other).await;

    let snapshot = taken(&scene, &claim).await.0.unwrap();
    assert_eq!((&snapshot.target, &snapshot.key, snapshot.generation), (&agent.target, &agent.key, 5));
    let mut stored = Vec::new();
    for new in &oldest_first {
        stored.push(scene.integration(new).await.unwrap());
    }
    assert_eq!(snapshot.integrations, stored);
}

pub async fn a_snapshot_is_of_one_moment(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    let inserts = async {
        for number in 0..30 {
            scene.connect(&scene.samples.integration_labelled(&agent, &named(&format!("label-{number}")))).await;
        }
    };
    let snapshots = async {
        let sync = scene.elsewhere().sync();
        let mut seen = 0;
        while seen < 30 {
            let snapshot = sync.snapshot(&claim, &scene.samples.line()).await.unwrap().unwrap();
            seen = snapshot.integrations.len();
            // The first generation is the empty set, and each integration raised it by one.
            assert_eq!(usize::try_from(snapshot.generation).unwrap(), seen + 1);
        }
    };
    tokio::join!(inserts, snapshots);
}

pub async fn a_snapshot_with_secrets_writes_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.connect(&scene.samples.integration_without_secrets(&agent)).await;
    let claim = scene.claim_one().await;
    let (snapshot, written) = taken(&scene, &claim).await;
    assert_eq!((snapshot.unwrap().integrations.len(), written), (1, false));

    scene.add_integration(&agent).await;
    let (snapshot, written) = taken(&scene, &claim).await;
    assert_eq!((snapshot.unwrap().integrations.len(), written), (2, true));
}

pub async fn a_snapshot_of_nothing_writes_no_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claim = scene.claim_one().await;
    let (snapshot, written) = taken(&scene, &claim).await;
    assert_eq!((ids(&snapshot.unwrap()), written), (Vec::new(), false));
}

pub async fn a_retired_target_is_to_hold_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.add_integration(&agent).await;
    let pushed = scene.sync_once().await;
    scene.delete(&agent).await;
    let claim = scene.claim_one().await;
    let (snapshot, written) = taken(&scene, &claim).await;
    let snapshot = snapshot.unwrap();
    assert_eq!((&snapshot.target, &snapshot.key), (&agent.target, &agent.key));
    assert_eq!((ids(&snapshot), written), (Vec::new(), false));
    assert!(snapshot.generation > pushed, "{} {pushed}", snapshot.generation);
}

pub async fn a_target_that_is_retired_meanwhile_is_to_hold_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.add_integration(&agent).await;
    let claim = scene.claim_one().await;
    scene.delete(&agent).await;
    if let (Some(snapshot), written) = taken(&scene, &claim).await {
        assert_eq!((ids(&snapshot), written), (Vec::new(), false));
    }
}

pub async fn a_check_can_become_a_push(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    let pushed = scene.sync_once().await;
    scene.advance(crate::scene::CHECK);
    let claim = scene.claim_one().await;
    let snapshot = taken(&scene, &claim).await.0.unwrap();
    assert_eq!((snapshot.generation, ids(&snapshot)), (pushed, vec![new.integration.id]));
}

pub async fn a_target_is_read_without_integrations(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.add_integration(&agent).await;
    let claim = scene.claim_one().await;
    let read = scene.target(&claim).await;
    let checked = CheckedTarget { target: agent.target.clone(), key: agent.key.clone(), owned: Vec::new() };
    assert_eq!(read, Some(checked));

    let mut target = agent.target.clone();
    target.secrets = Sealed(b"sealed again".to_vec());
    target.secrets_version = 2;
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name.clone(),
        updated_at: scene.now(),
        target: TargetUpdate::Rekey(target.clone()),
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
    let checked = CheckedTarget { target, key: agent.key, owned: Vec::new() };
    assert_eq!(scene.target(&claim).await, Some(checked));
}

pub async fn a_lost_lease_reads_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.add_integration(&agent).await;
    let lost = scene.claim_one().await;
    scene.advance(LEASE);
    scene.claim_one().await;
    let (snapshot, written) = taken(&scene, &lost).await;
    assert!(snapshot.is_none() && !written);
    assert_eq!(scene.target(&lost).await, None);
}

/// One of them is gone, and another one was claimed twice.
pub async fn targets_come_in_the_order_of_their_claims(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agents = [scene.add_agent().await, scene.add_agent().await, scene.add_agent().await];
    let lost = scene.claim(1).await.remove(0);
    scene.advance(LEASE);
    let mut claims = scene.claim(3).await;
    claims.reverse();
    claims.insert(1, lost);
    let read = scene.sync().targets(&claims).await.unwrap();
    let read: Vec<_> = read.iter().map(|checked| checked.as_ref().map(|checked| checked.target.id)).collect();
    let expected = claims.iter().enumerate().map(|(place, claim)| (place != 1).then_some(claim.target));
    assert_eq!(read, expected.collect::<Vec<_>>());
    let all: BTreeSet<_> = read.into_iter().flatten().collect();
    assert_eq!(all, agents.iter().map(|agent| agent.target.id).collect());
    assert_eq!(scene.sync().targets(&[]).await.unwrap(), []);
}

#[macro_export]
macro_rules! sync_snapshots_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_snapshots:
            a_snapshot_is_the_whole_state,
            a_snapshot_is_of_one_moment,
            a_snapshot_with_secrets_writes_its_line,
            a_snapshot_of_nothing_writes_no_line,
            a_retired_target_is_to_hold_nothing,
            a_target_that_is_retired_meanwhile_is_to_hold_nothing,
            a_check_can_become_a_push,
            a_target_is_read_without_integrations,
            a_lost_lease_reads_nothing,
            targets_come_in_the_order_of_their_claims,
        }
    };
}
