//! What every `SyncStore` promises about how pushes and checks end.

use std::time::Duration;

use nora_integrations::ports::{Agreed, Claim, Completion, Failure, FailureClass, Held, Task, Variable, VariableState};
use nora_kernel::audit::AuditLine;

use crate::Fixture;
use crate::samples::{live_variable, named};
use crate::scene::{CHECK, LEASE, Scene};

/// Everything a worker can try with a claim. Each must tell it that it holds nothing.
async fn try_everything(scene: &Scene<'_>, claim: &Claim, line: &AuditLine) {
    let sync = scene.sync();
    let later = scene.now().after(LEASE);
    assert_eq!(sync.renew(claim, later.after(LEASE)).await.unwrap(), Held::No);
    assert_eq!(sync.complete(claim, &scene.completion(9), line).await.unwrap(), Held::No);
    assert_eq!(scene.checked(claim, later).await, Held::No);
    assert_eq!(sync.raise(claim, 99, later, line).await.unwrap(), Held::No);
    assert_eq!(sync.fail(claim, &scene.failure(None), Some(1)).await.unwrap(), Held::No);
    assert_eq!(sync.abandon(claim, line).await.unwrap(), Held::No);
    sync.release(std::slice::from_ref(claim)).await.unwrap();
}

pub async fn a_completion_is_recorded(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::ZERO), Some(1)).await;
    let reason = Some("It takes effect at the next 'redeploy' 🔁.".to_owned());
    let variables = vec![
        live_variable("A_TOKEN"),
        Variable { name: named("B_TOKEN"), state: VariableState::PendingRedeploy, reason },
    ];
    let (claim, line) = (scene.claim_one().await, scene.samples.line());
    scene.advance(Duration::from_secs(1));
    let completion = scene.completion_with(1, variables.clone());
    assert_eq!(scene.sync().complete(&claim, &completion, &line).await.unwrap(), Held::Yes);

    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_synced_at), (1, 1, Some(scene.now())));
    assert_eq!((state.last_failure, state.next_attempt_at, state.variables), (None, None, variables));
    assert!(scene.nothing_is_due().await);
    assert!(!scene.has_line(&line).await, "the line is for retired targets");
}

pub async fn a_change_during_a_push_is_due_afterwards(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.add_integration(&agent).await;
    assert_eq!(scene.complete(&claim, 1).await, Held::Yes);
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied), (2, 1));
    assert_eq!(scene.claim_one().await.applied, 1);
}

pub async fn the_applied_generation_never_falls(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.request_sync(&agent).await;
    scene.request_sync(&agent).await;
    assert_eq!(scene.sync_once().await, 3);
    scene.advance(CHECK);
    let claim = scene.claim_one().await;
    assert_eq!(scene.complete(&claim, 2).await, Held::Yes);
    assert_eq!(scene.state(&agent).await.applied, 3);
}

pub async fn a_late_worker_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let lost = scene.claim_one().await;
    scene.advance(LEASE);
    let held = scene.claim_one().await;
    try_everything(&scene, &lost, &line).await;

    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_failure), (1, 0, None));
    assert!(!scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await, "the other lease still runs");
    assert_eq!(scene.complete(&held, 1).await, Held::Yes);
}

pub async fn an_ended_lease_changes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let claim = scene.claim_one().await;
    assert_eq!(scene.fail(&claim, Some(Duration::from_secs(1)), Some(1)).await, Held::Yes);
    let before = scene.state(&agent).await;
    try_everything(&scene, &claim, &line).await;
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_failure), (1, 0, before.last_failure));
    assert!(!scene.has_line(&line).await);

    scene.advance(Duration::from_secs(1));
    let claim = scene.claim_one().await;
    assert_eq!(scene.complete(&claim, 1).await, Held::Yes);
    try_everything(&scene, &claim, &line).await;
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_failure), (1, 1, None));
}

pub async fn a_removal_is_confirmed_by_its_own_generation(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    scene.sync_once().await;
    let claim = {
        scene.request_sync(&agent).await;
        scene.claim_one().await
    };
    // The push of generation 3 is under way when the removal raises it to 4.
    scene.disconnect(&new).await;
    scene.complete(&claim, 3).await;
    assert_eq!(scene.state(&agent).await.removals[0].confirmed_at, None);

    scene.advance(Duration::from_secs(1));
    let confirmed = scene.now();
    assert_eq!(scene.sync_once().await, 4);
    assert_eq!(scene.state(&agent).await.removals[0].confirmed_at, Some(confirmed));

    scene.advance(Duration::from_secs(1));
    scene.request_sync(&agent).await;
    scene.sync_once().await;
    assert_eq!(scene.state(&agent).await.removals[0].confirmed_at, Some(confirmed), "the first confirmation counts");
}

pub async fn another_agents_removals_stay_unconfirmed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let new = scene.add_integration(&agent).await;
    scene.disconnect(&new).await;
    for claim in scene.claim(10).await {
        if claim.agent == other.agent.id {
            scene.complete(&claim, 3).await;
        }
    }
    assert_eq!(scene.state(&agent).await.removals[0].confirmed_at, None);
}

pub async fn a_check_that_agrees_changes_no_state(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    let synced = scene.now();
    scene.advance(CHECK);
    let claim = scene.claim_one().await;
    let next = scene.now().after(CHECK);
    assert_eq!(scene.checked(&claim, next).await, Held::Yes);
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_synced_at), (1, 1, Some(synced)));
    assert!(scene.nothing_is_due().await);
    scene.advance(CHECK);
    assert_eq!(scene.claim_one().await.task, Task::Check);
}

pub async fn a_lost_check_holds_up_no_other(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for _ in 0..3 {
        scene.add_synced_agent().await;
    }
    scene.advance(CHECK);
    let mut claims = scene.claim(1).await;
    scene.advance(LEASE);
    claims.extend(scene.claim(3).await);
    claims.swap(0, 1);
    let soon = |(place, claim): (u64, Claim)| Agreed {
        claim,
        next_check_at: scene.now().after(CHECK * u32::try_from(place + 1).unwrap()),
    };
    let agreed: Vec<_> = (0..).zip(claims).map(soon).collect();
    assert_eq!(scene.sync().checked(&agreed).await.unwrap(), [Held::Yes, Held::No, Held::Yes, Held::Yes]);
    assert_eq!(scene.sync().checked(&agreed).await.unwrap(), [Held::No; 4], "they have ended");
    assert_eq!(scene.sync().checked(&[]).await.unwrap(), []);
    for place in [0, 2, 3] {
        scene.advance(CHECK * if place == 2 { 2 } else { 1 });
        let due = scene.claim_one().await;
        assert_eq!(due.target, agreed[place].claim.target);
        scene.checked(&due, scene.now().after(CHECK * 9)).await;
    }
}

pub async fn a_failure_is_recorded(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    scene.advance(Duration::from_secs(1));
    let next_attempt_at = Some(scene.now().after(Duration::from_secs(2)));
    let failure = Failure { class: FailureClass::BlockedAddress, at: scene.now(), next_attempt_at };
    assert_eq!(scene.sync().fail(&claim, &failure, Some(1)).await.unwrap(), Held::Yes);
    let state = scene.state(&agent).await;
    assert_eq!((state.applied, state.next_attempt_at, state.last_failure), (0, next_attempt_at, Some(failure)));
}

pub async fn a_permanent_failure_is_recorded(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    let failure = scene.failure(None);
    assert_eq!(scene.sync().fail(&claim, &failure, Some(1)).await.unwrap(), Held::Yes);
    let state = scene.state(&agent).await;
    assert_eq!((state.next_attempt_at, state.last_failure), (None, Some(failure)));
}

pub async fn what_was_confirmed_outlives_a_failure(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    let variables = vec![live_variable("A_TOKEN")];
    let completion = scene.completion_with(1, variables.clone());
    scene.sync().complete(&claim, &completion, &scene.samples.line()).await.unwrap();
    scene.request_sync(&agent).await;
    let claim = scene.claim_one().await;
    scene.fail(&claim, Some(Duration::from_secs(1)), Some(2)).await;
    let state = scene.state(&agent).await;
    assert_eq!((state.applied, state.last_synced_at, state.variables), (1, Some(completion.at), variables));
}

pub async fn a_failure_after_a_change_is_tried_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    for wait in [Some(Duration::from_hours(1)), None] {
        let claim = scene.claim_one().await;
        let pushed = scene.desired(&agent).await;
        scene.request_sync(&agent).await;
        assert_eq!(scene.fail(&claim, wait, Some(pushed)).await, Held::Yes);
        assert_eq!(scene.state(&agent).await.next_attempt_at, Some(scene.now()));
    }
    let claim = scene.claim_one().await;
    let pushed = scene.desired(&agent).await;
    scene.fail(&claim, None, Some(pushed)).await;
    assert!(scene.nothing_is_due().await);
}

pub async fn a_failed_check_waits_too(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.advance(CHECK);
    let claim = scene.claim_one().await;
    assert_eq!(scene.fail(&claim, Some(Duration::from_secs(8)), Some(1)).await, Held::Yes);
    assert!(scene.nothing_is_due().await);
    scene.advance(Duration::from_secs(8));
    assert_eq!(scene.claim_one().await.target, agent.target.id);
}

pub async fn a_raise_goes_above_what_the_runtime_holds(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let claim = scene.claim_one().await;
    let again = scene.now().after(Duration::from_secs(1));
    assert_eq!(scene.sync().raise(&claim, 41, again, &line).await.unwrap(), Held::Yes);
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.next_attempt_at), (42, 0, Some(again)));
    assert!(scene.has_line(&line).await);
    assert!(scene.nothing_is_due().await);
    scene.advance(Duration::from_secs(1));
    assert_eq!(scene.sync_once().await, 42);
}

pub async fn a_raise_never_lowers(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let claim = scene.claim_one().await;
    for _ in 0..5 {
        scene.request_sync(&agent).await;
    }
    scene.sync().raise(&claim, 2, scene.now(), &scene.samples.line()).await.unwrap();
    assert!(scene.desired(&agent).await >= 6);
}

pub async fn completing_twice_at_one_generation_is_harmless(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    scene.advance(CHECK);
    let claim = scene.claim_one().await;
    let Completion { at, .. } = scene.completion(1);
    assert_eq!(scene.complete(&claim, 1).await, Held::Yes);
    let state = scene.state(&agent).await;
    assert_eq!((state.desired, state.applied, state.last_synced_at), (1, 1, Some(at)));
    assert!(scene.nothing_is_due().await);
}

pub async fn unreadable_secrets_are_marked(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let new = scene.add_integration(&agent).await;
    scene.sync().mark_unreadable(new.integration.id, 1, &line).await.unwrap();
    let stored = scene.integration(&new).await.unwrap();
    assert_eq!((stored.integration.readable, stored.generation), (false, 2));
    assert_eq!((scene.desired(&agent).await, scene.has_line(&line).await), (2, true));
}

pub async fn newer_secrets_are_not_marked(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, line) = (scene.add_agent().await, scene.samples.line());
    let new = scene.add_integration(&agent).await;
    scene.integrations().update(&scene.samples.integration_update(&new), &scene.samples.line()).await.unwrap();
    scene.sync().mark_unreadable(new.integration.id, 1, &line).await.unwrap();
    assert!(scene.integration(&new).await.unwrap().integration.readable);
    assert!(!scene.has_line(&line).await);

    let unknown = scene.samples.integration(&agent).integration.id;
    scene.sync().mark_unreadable(unknown, 1, &line).await.unwrap();
    assert!(!scene.has_line(&line).await);
}

#[macro_export]
macro_rules! sync_outcomes_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => sync_outcomes:
            a_completion_is_recorded,
            a_change_during_a_push_is_due_afterwards,
            the_applied_generation_never_falls,
            a_late_worker_changes_nothing,
            an_ended_lease_changes_nothing,
            a_removal_is_confirmed_by_its_own_generation,
            another_agents_removals_stay_unconfirmed,
            a_check_that_agrees_changes_no_state,
            a_lost_check_holds_up_no_other,
            a_failure_is_recorded,
            a_permanent_failure_is_recorded,
            what_was_confirmed_outlives_a_failure,
            a_failure_after_a_change_is_tried_at_once,
            a_failed_check_waits_too,
            a_raise_goes_above_what_the_runtime_holds,
            a_raise_never_lowers,
            completing_twice_at_one_generation_is_harmless,
            unreadable_secrets_are_marked,
            newer_secrets_are_not_marked,
        }
    };
}
