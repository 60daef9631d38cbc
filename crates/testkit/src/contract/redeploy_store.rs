//! What every `RedeployStore` promises.

use std::time::Duration;

use nora_agents::Target;
use nora_agents::ports::{AgentUpdate, StoredAgent, TargetUpdate};
use nora_integrations::ports::{Failure, FailureClass, Held};
use nora_kernel::{ProviderId, Reach, TargetId};
use nora_mcp_servers::ports::{AgentServers, Completion, Deployed, RedeployClaim};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{LEASE, PATIENCE, Scene, foreign, within};

const DIGEST: [u8; 32] = [9; 32];

async fn request(scene: &Scene<'_>, agent: &StoredAgent) {
    let asked = scene.redeploys().request(&Reach::Everything, agent.agent.id, &scene.samples.line()).await;
    assert!(asked.unwrap());
}

async fn claims(scene: &Scene<'_>, limit: u16) -> Vec<RedeployClaim> {
    scene.redeploys().claim(limit, LEASE, scene.now()).await.unwrap()
}

/// Claims the one redeploy that is due.
async fn claim(scene: &Scene<'_>) -> RedeployClaim {
    let claims = claims(scene, 10).await;
    let [claim] = claims.as_slice() else { panic!("one redeploy should be due: {claims:?}") };
    claim.clone()
}

async fn nothing_is_due(scene: &Scene<'_>) -> bool {
    claims(scene, 10).await.is_empty()
}

async fn requested(scene: &Scene<'_>) -> (StoredAgent, RedeployClaim) {
    let agent = scene.add_agent().await;
    request(scene, &agent).await;
    (agent, claim(scene).await)
}

fn servers(names: &[&str]) -> Vec<ProviderId> {
    names.iter().map(|name| named(name)).collect()
}

async fn handing(scene: &Scene<'_>, claim: &RedeployClaim, target: TargetId, names: &[&str]) -> Held {
    scene.redeploys().handing(claim, target, &servers(names)).await.unwrap()
}

async fn complete(scene: &Scene<'_>, claim: &RedeployClaim, target: TargetId, names: &[&str]) -> Held {
    let completion = Completion { target, digest: DIGEST, servers: servers(names), at: scene.now() };
    scene.redeploys().complete(claim, &completion).await.unwrap()
}

fn failure(scene: &Scene<'_>, wait: Option<Duration>) -> Failure {
    let class = if wait.is_some() { FailureClass::Timeout } else { FailureClass::Auth };
    Failure { class, at: scene.now(), next_attempt_at: wait.map(|wait| scene.now().after(wait)) }
}

async fn fail(scene: &Scene<'_>, claim: &RedeployClaim, wait: Option<Duration>, target: Option<TargetId>) -> Held {
    scene.redeploys().fail(claim, &failure(scene, wait), target).await.unwrap()
}

async fn found(scene: &Scene<'_>, agent: &StoredAgent) -> AgentServers {
    scene.mcp().find(&Reach::Everything, agent.agent.id).await.unwrap().unwrap()
}

/// Moves the agent to another address.
async fn moved(scene: &Scene<'_>, agent: &StoredAgent) -> Target {
    let to = scene.samples.target_elsewhere(agent);
    let update = AgentUpdate {
        id: agent.agent.id,
        revision: agent.revision,
        name: agent.agent.name.clone(),
        updated_at: scene.now(),
        target: TargetUpdate::Move { to: to.clone(), purge_until: scene.now().after(Duration::from_hours(24)) },
    };
    scene.agents().update(&update, &scene.samples.line()).await.unwrap();
    to
}

pub async fn a_request_is_due_at_once_and_writes_its_line(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let line = scene.samples.line();
    assert!(nothing_is_due(&scene).await);
    assert!(scene.redeploys().request(&within(&workspace()), agent.agent.id, &line).await.unwrap());
    assert!(scene.has_line(&line).await);
    let redeploy = found(&scene, &agent).await.redeploy;
    assert_eq!((redeploy.is_pending, redeploy.next_attempt_at), (true, Some(scene.now())));
    let claim = claim(&scene).await;
    assert_eq!((claim.agent, &claim.workspace), (agent.agent.id, &agent.agent.workspace));
    assert_eq!((claim.attempt, claim.is_repeated), (1, false));
}

pub async fn only_for_an_agent_within_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let line = scene.samples.line();
    assert!(!scene.redeploys().request(&foreign(), agent.agent.id, &line).await.unwrap());
    scene.delete(&agent).await;
    assert!(!scene.redeploys().request(&Reach::Everything, agent.agent.id, &line).await.unwrap());
    assert!(nothing_is_due(&scene).await && !scene.has_line(&line).await);
}

pub async fn one_that_waits_is_not_doubled(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    request(&scene, &agent).await;
    request(&scene, &agent).await;
    let claim = claim(&scene).await;
    complete(&scene, &claim, agent.target.id, &[]).await;
    assert!(nothing_is_due(&scene).await);
    assert!(!found(&scene, &agent).await.redeploy.is_pending);
}

pub async fn one_under_way_is_followed_by_one_that_is_repeated(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, first) = requested(&scene).await;
    request(&scene, &agent).await;
    request(&scene, &agent).await;
    assert!(nothing_is_due(&scene).await);
    complete(&scene, &first, agent.target.id, &[]).await;
    let second = claim(&scene).await;
    assert!(second.is_repeated && second.fence > first.fence);
    complete(&scene, &second, agent.target.id, &[]).await;
    assert!(nothing_is_due(&scene).await);
}

pub async fn a_request_ends_a_permanent_failure_and_a_wait(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, first) = requested(&scene).await;
    fail(&scene, &first, None, None).await;
    assert!(nothing_is_due(&scene).await);
    let redeploy = found(&scene, &agent).await.redeploy;
    assert_eq!((redeploy.is_pending, redeploy.next_attempt_at), (true, None));
    assert_eq!(redeploy.last_failure.unwrap().class, FailureClass::Auth);

    request(&scene, &agent).await;
    let second = claim(&scene).await;
    assert_eq!(second.attempt, 1);
    fail(&scene, &second, Some(Duration::from_secs(30)), None).await;
    assert!(nothing_is_due(&scene).await);
    request(&scene, &agent).await;
    claim(&scene).await;
}

pub async fn those_that_waited_longest_come_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (one, other) = (scene.add_agent().await, scene.add_agent().await);
    request(&scene, &other).await;
    scene.advance(Duration::from_micros(1));
    request(&scene, &one).await;
    assert_eq!(claims(&scene, 1).await[0].agent, other.agent.id);
    assert_eq!(claims(&scene, 1).await[0].agent, one.agent.id);
}

pub async fn a_deleted_agents_is_nobodys(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, claim) = requested(&scene).await;
    scene.delete(&agent).await;
    assert!(scene.redeploys().snapshot(&claim, &scene.samples.line()).await.unwrap().is_none());
    assert_eq!(handing(&scene, &claim, agent.target.id, &["gitlab"]).await, Held::No);
    scene.advance(LEASE);
    assert!(nothing_is_due(&scene).await);
    assert_eq!(scene.redeploys().next_redeploy_due().await.unwrap(), None);
    scene.sync_once().await;
    assert!(!scene.kept_keys().await.contains(&agent.agent.id), "nothing holds up the end of the agent");
}

pub async fn a_lease_is_one_workers_until_it_ends(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, lost) = requested(&scene).await;
    scene.almost(LEASE);
    assert!(nothing_is_due(&scene).await);
    scene.advance(Duration::from_micros(1));
    let held = claim(&scene).await;
    assert_eq!((held.attempt, held.fence > lost.fence), (2, true));
    let target = agent.target.id;
    let redeploys = scene.redeploys();
    assert_eq!(redeploys.renew(&lost, scene.now().after(LEASE)).await.unwrap(), Held::No);
    assert!(redeploys.snapshot(&lost, &scene.samples.line()).await.unwrap().is_none());
    assert_eq!(handing(&scene, &lost, target, &["gitlab"]).await, Held::No);
    assert_eq!(complete(&scene, &lost, target, &["gitlab"]).await, Held::No);
    assert_eq!(fail(&scene, &lost, None, None).await, Held::No);
    redeploys.release(&[lost]).await.unwrap();
    assert!(nothing_is_due(&scene).await);
    assert_eq!(found(&scene, &agent).await.deployed, Deployed::default());

    assert_eq!(redeploys.renew(&held, scene.now().after(LEASE * 2)).await.unwrap(), Held::Yes);
    scene.advance(LEASE);
    assert!(nothing_is_due(&scene).await);
}

pub async fn a_released_one_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, claimed) = requested(&scene).await;
    request(&scene, &agent).await;
    scene.redeploys().release(std::slice::from_ref(&claimed)).await.unwrap();
    let again = claim(&scene).await;
    assert!(!again.is_repeated, "what was asked for meanwhile is part of it");
    assert_eq!(complete(&scene, &claimed, agent.target.id, &[]).await, Held::No);
    complete(&scene, &again, agent.target.id, &[]).await;
    assert!(nothing_is_due(&scene).await);
}

pub async fn a_snapshot_is_the_whole_state_and_its_line_tells_of_secrets(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, claim) = requested(&scene).await;
    let new = scene.add_integration(&agent).await;
    let silent = scene.samples.line();
    let snapshot = scene.redeploys().snapshot(&claim, &silent).await.unwrap().unwrap();
    assert_eq!((&snapshot.target, &snapshot.key), (&agent.target, &agent.key));
    assert_eq!(snapshot.integrations, [scene.integration(&new).await.unwrap()]);
    assert!(!scene.has_line(&silent).await, "no server is switched on");

    let github = [named("github")];
    scene.mcp().select(&Reach::Everything, agent.agent.id, &github, &scene.samples.line()).await.unwrap();
    let told = scene.samples.line();
    let snapshot = scene.redeploys().snapshot(&claim, &told).await.unwrap().unwrap();
    assert_eq!(snapshot.selected, github);
    assert!(scene.has_line(&told).await);
}

pub async fn what_a_runtime_may_hold_grows_until_it_confirms(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, first) = requested(&scene).await;
    let target = agent.target.id;
    assert_eq!(handing(&scene, &first, target, &["notion", "gitlab"]).await, Held::Yes);
    let deployed = found(&scene, &agent).await.deployed;
    assert_eq!((deployed.digest, deployed.servers), (None, servers(&["gitlab", "notion"])));
    fail(&scene, &first, Some(Duration::ZERO), Some(target)).await;

    let second = claim(&scene).await;
    handing(&scene, &second, target, &["notion", "stripe"]).await;
    assert_eq!(found(&scene, &agent).await.deployed.servers, servers(&["gitlab", "notion", "stripe"]));
    assert_eq!(complete(&scene, &second, target, &["notion", "stripe"]).await, Held::Yes);
    let deployed = found(&scene, &agent).await.deployed;
    let expected = Deployed { digest: Some(DIGEST), at: Some(scene.now()), servers: servers(&["notion", "stripe"]) };
    assert_eq!(deployed, expected);
}

pub async fn a_success_ends_the_failure_and_the_count_of_attempts(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, first) = requested(&scene).await;
    fail(&scene, &first, Some(Duration::from_secs(1)), None).await;
    let redeploy = found(&scene, &agent).await.redeploy;
    let next = Some(scene.now().after(Duration::from_secs(1)));
    assert_eq!(redeploy.last_failure, Some(failure(&scene, Some(Duration::from_secs(1)))));
    assert_eq!(redeploy.next_attempt_at, next);
    assert_eq!(scene.redeploys().next_redeploy_due().await.unwrap(), next);

    scene.advance(Duration::from_secs(1));
    let second = claim(&scene).await;
    assert_eq!(second.attempt, 2);
    complete(&scene, &second, agent.target.id, &[]).await;
    assert_eq!(found(&scene, &agent).await.redeploy.last_failure, None);
    assert_eq!(scene.redeploys().next_redeploy_due().await.unwrap(), None);
    request(&scene, &agent).await;
    assert_eq!(claim(&scene).await.attempt, 1);
}

pub async fn a_failure_that_was_asked_about_again_is_due_at_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, first) = requested(&scene).await;
    request(&scene, &agent).await;
    fail(&scene, &first, None, None).await;
    claim(&scene).await;
}

pub async fn a_runtime_an_agent_moves_to_holds_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, claimed) = requested(&scene).await;
    handing(&scene, &claimed, agent.target.id, &["gitlab"]).await;
    complete(&scene, &claimed, agent.target.id, &["gitlab"]).await;
    moved(&scene, &agent).await;
    assert_eq!(found(&scene, &agent).await.deployed, Deployed::default());
}

pub async fn a_target_that_was_left_is_emptied_of_servers(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    request(&scene, &agent).await;
    let claimed = claim(&scene).await;
    handing(&scene, &claimed, agent.target.id, &["gitlab"]).await;
    complete(&scene, &claimed, agent.target.id, &["gitlab"]).await;
    moved(&scene, &agent).await;
    let mut told = Vec::new();
    for claim in scene.claim(10).await {
        let snapshot = scene.sync().snapshot(&claim, &scene.samples.line()).await.unwrap().unwrap();
        told.push((snapshot.target.id == agent.target.id, snapshot.undeploy));
    }
    told.sort();
    assert_eq!(told, [(false, Vec::new()), (true, servers(&["gitlab"]))]);
}

pub async fn what_arrives_after_a_move_is_taken_away_again(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_synced_agent().await;
    request(&scene, &agent).await;
    let claimed = claim(&scene).await;
    handing(&scene, &claimed, agent.target.id, &["gitlab"]).await;
    let to = moved(&scene, &agent).await;
    let old = scene.claim(10).await.into_iter().find(|claim| claim.target == agent.target.id).unwrap();
    let pushed = scene.sync().snapshot(&old, &scene.samples.line()).await.unwrap().unwrap().generation;

    assert_eq!(complete(&scene, &claimed, agent.target.id, &["gitlab"]).await, Held::Yes);
    assert_eq!(scene.complete(&old, pushed).await, Held::Yes);
    let again = scene.claim(10).await;
    assert!(again.iter().any(|claim| claim.target == agent.target.id), "{again:?}");
    let next = claim(&scene).await;
    let snapshot = scene.redeploys().snapshot(&next, &scene.samples.line()).await.unwrap().unwrap();
    assert_eq!((snapshot.target.id, next.is_repeated), (to.id, false), "the redeploy goes where the agent lives now");
    assert_eq!(handing(&scene, &next, agent.target.id, &[]).await, Held::No);
}

pub async fn a_request_wakes_and_so_does_a_release(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    let redeploys = scene.redeploys();
    let woken = tokio::time::timeout(PATIENCE, redeploys.redeploy_changed());
    assert!(tokio::join!(woken, request(&scene, &agent)).0.is_ok());
    let claims = [claim(&scene).await];
    let woken = tokio::time::timeout(PATIENCE, redeploys.redeploy_changed());
    assert!(tokio::join!(woken, async { redeploys.release(&claims).await.unwrap() }).0.is_ok());
}

#[macro_export]
macro_rules! redeploy_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => redeploy_store:
            a_request_is_due_at_once_and_writes_its_line,
            only_for_an_agent_within_reach,
            one_that_waits_is_not_doubled,
            one_under_way_is_followed_by_one_that_is_repeated,
            a_request_ends_a_permanent_failure_and_a_wait,
            those_that_waited_longest_come_first,
            a_deleted_agents_is_nobodys,
            a_lease_is_one_workers_until_it_ends,
            a_released_one_is_due_at_once,
            a_snapshot_is_the_whole_state_and_its_line_tells_of_secrets,
            what_a_runtime_may_hold_grows_until_it_confirms,
            a_success_ends_the_failure_and_the_count_of_attempts,
            a_failure_that_was_asked_about_again_is_due_at_once,
            a_runtime_an_agent_moves_to_holds_nothing,
            a_target_that_was_left_is_emptied_of_servers,
            what_arrives_after_a_move_is_taken_away_again,
            a_request_wakes_and_so_does_a_release,
        }
    };
}
