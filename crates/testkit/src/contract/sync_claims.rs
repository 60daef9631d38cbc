//! What every `SyncStore` promises about leases.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use nora_integrations::ports::{Claim, Held, Task};
use nora_kernel::TargetId;

use crate::Fixture;
use crate::scene::{CHECK, LEASE, Scene};

fn targets(claims: &[Claim]) -> Vec<TargetId> {
    claims.iter().map(|claim| claim.target).collect()
}

async fn renew(scene: &Scene<'_>, claim: &Claim) -> Held {
    scene.sync().renew(claim, scene.now().after(LEASE)).await.unwrap()
}

pub async fn claim_keeps_to_its_limit(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for _ in 0..5 {
        scene.add_agent().await;
    }
    assert_eq!(scene.claim(2).await.len(), 2);
    assert_eq!(scene.claim(2).await.len(), 2);
    assert_eq!(scene.claim(2).await.len(), 1);
    assert_eq!(scene.claim(2).await, []);
}

pub async fn those_that_waited_longest_come_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(scene.add_agent().await);
        scene.advance(Duration::from_secs(1));
    }
    // The first fails and waits again, so it goes to the end.
    let first = scene.claim(1).await.remove(0);
    assert_eq!(first.target, waiting[0].target.id);
    scene.fail(&first, Some(Duration::from_secs(1)), None).await;
    scene.advance(Duration::from_secs(1));
    waiting.rotate_left(1);

    let mut claimed = targets(&scene.claim(2).await);
    claimed.extend(targets(&scene.claim(2).await));
    assert_eq!(claimed, waiting.iter().map(|agent| agent.target.id).collect::<Vec<_>>());
}

pub async fn a_push_comes_before_a_check(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let in_step = scene.add_synced_agent().await;
    scene.advance(CHECK);
    let behind = scene.add_agent().await;
    let (first, second) = (scene.claim(1).await, scene.claim(1).await);
    assert_eq!((targets(&first), first[0].task), (vec![behind.target.id], Task::Push));
    assert_eq!((targets(&second), second[0].task), (vec![in_step.target.id], Task::Check));
}

pub async fn one_claim_takes_pushes_and_checks(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let in_step = scene.add_synced_agent().await;
    scene.advance(CHECK);
    let behind = scene.add_agent().await;
    assert_eq!(targets(&scene.claim(10).await), [behind.target.id, in_step.target.id]);
}

pub async fn a_target_in_step_waits_for_its_check(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.almost(CHECK);
    assert!(scene.nothing_is_due().await);
    scene.advance(Duration::from_micros(1));
    let claim = scene.claim_one().await;
    assert_eq!((claim.target, claim.task, claim.applied), (agent.target.id, Task::Check, 1));
}

pub async fn a_failed_target_waits_for_its_next_attempt(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::from_secs(8)), Some(1)).await;
    scene.almost(Duration::from_secs(8));
    assert!(scene.nothing_is_due().await);
    scene.advance(Duration::from_micros(1));
    assert_eq!(scene.claim_one().await.target, claim.target);
}

pub async fn a_permanent_failure_is_never_due(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    scene.block().await;
    scene.add_synced_agent().await;
    scene.advance(CHECK);
    scene.block().await;
    scene.advance(Duration::from_hours(1000));
    assert!(scene.nothing_is_due().await);
}

pub async fn a_running_lease_is_nobody_elses(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    scene.claim_one().await;
    scene.almost(LEASE);
    assert!(scene.nothing_is_due().await);
    assert_eq!(scene.elsewhere().sync().claim(10, LEASE, scene.now()).await.unwrap(), []);
}

pub async fn an_expired_lease_is_taken_over(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let first = scene.claim_one().await;
    scene.advance(LEASE);
    let taken = scene.elsewhere().sync().claim(10, LEASE, scene.now()).await.unwrap();
    assert_eq!(targets(&taken), [first.target]);
    assert!(taken[0].fence > first.fence, "{} {}", taken[0].fence, first.fence);
}

pub async fn no_target_is_claimed_twice(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for _ in 0..40 {
        scene.add_agent().await;
    }
    let now = scene.now();
    let claimers = (0..10).map(|number| {
        let sync = if number % 2 == 0 { scene.sync() } else { scene.elsewhere().sync() };
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let claims = sync.claim(3, LEASE, now).await.unwrap();
                if claims.is_empty() {
                    break claimed;
                }
                claimed.extend(claims);
            }
        })
    });
    let mut claimed: Vec<Claim> = join_all(claimers).await.into_iter().flat_map(|claims| claims.unwrap()).collect();
    // Where a claimer passes over rows that another one is looking at, it may see none and stop early.
    claimed.extend(scene.claim(40).await);
    let different: HashSet<TargetId> = claimed.iter().map(|claim| claim.target).collect();
    assert_eq!((claimed.len(), different.len()), (40, 40));
}

pub async fn an_attempt_counts_when_it_begins(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    assert_eq!(scene.claim_one().await.attempt, 1);
    // Nobody comes back from the first: its process is gone.
    scene.advance(LEASE);
    let second = scene.claim_one().await;
    assert_eq!(second.attempt, 2);
    scene.fail(&second, Some(Duration::ZERO), Some(1)).await;
    let third = scene.claim_one().await;
    assert_eq!(third.attempt, 3);
    scene.complete(&third, 1).await;
}

pub async fn a_success_ends_the_count_of_attempts(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::ZERO), Some(1)).await;
    scene.sync_once().await;
    scene.add_integration(&agent).await;
    assert_eq!(scene.claim_one().await.attempt, 1);
}

pub async fn a_check_is_no_attempt(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.advance(CHECK);
    let check = scene.claim_one().await;
    assert_eq!((check.task, check.attempt), (Task::Check, 0));
    scene.checked(&check, scene.now().after(CHECK)).await;
    scene.request_sync(&agent).await;
    assert_eq!(scene.claim_one().await.attempt, 1);
}

pub async fn a_renewed_lease_lasts_longer(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.advance(LEASE / 2);
    assert_eq!(renew(&scene, &claim).await, Held::Yes);
    scene.almost(LEASE);
    assert!(scene.nothing_is_due().await);
    scene.advance(Duration::from_micros(1));
    assert_eq!(scene.claim_one().await.target, claim.target);
}

pub async fn a_lost_lease_is_not_renewed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let lost = scene.claim_one().await;
    scene.advance(LEASE);
    let held = scene.claim_one().await;
    scene.advance(LEASE / 2);
    assert_eq!(renew(&scene, &lost).await, Held::No);
    scene.advance(LEASE / 2);
    assert_eq!(scene.claim_one().await.target, held.target, "the lease that was held ended in its own time");
}

pub async fn a_released_target_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for _ in 0..3 {
        scene.add_agent().await;
    }
    let claims = scene.claim(10).await;
    scene.sync().release(&claims[..2]).await.unwrap();
    let again = scene.elsewhere().sync().claim(10, LEASE, scene.now()).await.unwrap();
    assert_eq!(HashSet::from([again[0].target, again[1].target]), HashSet::from([claims[0].target, claims[1].target]));
    assert_eq!(again.len(), 2);
    scene.sync().release(&[]).await.unwrap();
}

pub async fn a_lost_lease_is_not_released(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.add_agent().await;
    let lost = scene.claim_one().await;
    scene.advance(LEASE);
    let held = scene.claim_one().await;
    scene.sync().release(&[lost]).await.unwrap();
    assert!(scene.nothing_is_due().await);
    assert_eq!(renew(&scene, &held).await, Held::Yes);
}

pub async fn a_released_lease_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.sync().release(std::slice::from_ref(&claim)).await.unwrap();
    assert_eq!(renew(&scene, &claim).await, Held::No);
    assert_eq!(scene.complete(&claim, 1).await, Held::No);
    assert_eq!(scene.state(&agent).await.applied, 0);
}

#[macro_export]
macro_rules! sync_claims_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_claims:
            claim_keeps_to_its_limit,
            those_that_waited_longest_come_first,
            a_push_comes_before_a_check,
            one_claim_takes_pushes_and_checks,
            a_target_in_step_waits_for_its_check,
            a_failed_target_waits_for_its_next_attempt,
            a_permanent_failure_is_never_due,
            a_running_lease_is_nobody_elses,
            an_expired_lease_is_taken_over,
            no_target_is_claimed_twice,
            an_attempt_counts_when_it_begins,
            a_success_ends_the_count_of_attempts,
            a_check_is_no_attempt,
            a_renewed_lease_lasts_longer,
            a_lost_lease_is_not_renewed,
            a_released_target_is_due_at_once,
            a_lost_lease_is_not_released,
            a_released_lease_changes_nothing,
        }
    };
}
