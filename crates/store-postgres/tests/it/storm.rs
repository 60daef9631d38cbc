//! Many changes at once, on two servers: nobody waits for each other in a circle, and nothing is forgotten.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use nora_agents::ports::{AgentStore, AgentUpdate, KeyCustody, StoredAgent, TargetUpdate, UpdateAgentError};
use nora_integrations::ports::{
    Claim, Completion, Failure, FailureClass, Held, InsertError, IntegrationStore, SyncStore as _,
};
use nora_kernel::{Clock as _, IdSource as _, Label, Reach, Timestamp};
use nora_store_postgres::PostgresStore;
use nora_testkit::Samples;
use nora_testkit::samples::named;

use crate::fixture::PostgresFixture;

const LEASE: Duration = Duration::from_secs(15);
const AGENTS: usize = 3;
const STEPS: usize = 60;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Everybody's time: nothing here has to wait.
fn later(samples: &Samples) -> Timestamp {
    samples.clock.now().after(Duration::from_hours(1))
}

async fn complete(store: &PostgresStore, samples: &Samples, claim: &Claim) -> Held {
    let Some(snapshot) = store.snapshot(claim, &samples.line()).await.unwrap() else { return Held::No };
    let (at, next_check_at) = (samples.clock.now(), later(samples));
    let completion = Completion { generation: snapshot.generation, variables: Vec::new(), at, next_check_at };
    store.complete(claim, &completion, &samples.line()).await.unwrap()
}

async fn connect(store: &PostgresStore, samples: &Samples, agent: &StoredAgent) {
    let label: Label = named(&format!("l{}", samples.ids.next().as_u128() % 1_000_000_000));
    let new = samples.integration_labelled(agent, &label);
    IntegrationStore::insert(store, &new, &samples.line(), None).await.unwrap();
}

async fn disconnect(store: &PostgresStore, samples: &Samples, agent: &StoredAgent, dice: &mut Dice) {
    let list = IntegrationStore::list(store, &Reach::Everything, agent.agent.id).await.unwrap().unwrap();
    if let Some(integration) = list.get(dice.roll(list.len() + 1)) {
        let id = integration.id;
        store.remove(&Reach::Everything, agent.agent.id, id, &[], &samples.line()).await.unwrap();
    }
}

async fn move_away(store: &PostgresStore, samples: &Samples, agent: &StoredAgent) {
    let found = AgentStore::find(store, &Reach::Everything, agent.agent.id).await.unwrap().unwrap();
    let to = samples.target_elsewhere(&found);
    let update = AgentUpdate {
        id: found.agent.id,
        revision: found.revision,
        name: found.agent.name,
        updated_at: samples.clock.now(),
        target: TargetUpdate::Move { to, purge_until: later(samples) },
    };
    match AgentStore::update(store, &update, &samples.line()).await {
        Ok(()) | Err(UpdateAgentError::Conflict) => {}
        Err(other) => panic!("{other:?}"),
    }
}

async fn work(store: &PostgresStore, samples: &Samples, dice: &mut Dice) {
    for claim in store.claim(3, LEASE, samples.clock.now()).await.unwrap() {
        if dice.roll(3) > 0 {
            complete(store, samples, &claim).await;
        } else {
            let at = samples.clock.now();
            let failure = Failure { class: FailureClass::Timeout, at, next_attempt_at: Some(at) };
            store.fail(&claim, &failure, Some(1)).await.unwrap();
        }
    }
}

async fn storm(store: Arc<PostgresStore>, samples: Samples, agents: Arc<Vec<StoredAgent>>, seed: u64) {
    let mut dice = Dice(seed);
    for _ in 0..STEPS {
        let agent = agents.get(dice.roll(AGENTS)).unwrap();
        match dice.roll(6) {
            0 | 1 => connect(&store, &samples, agent).await,
            2 => disconnect(&store, &samples, agent, &mut dice).await,
            3 => move_away(&store, &samples, agent).await,
            _ => work(&store, &samples, &mut dice).await,
        }
    }
}

/// Pushes until there is nothing left to push.
async fn settle(store: &PostgresStore, samples: &Samples) {
    loop {
        let claims = store.claim(50, LEASE, samples.clock.now()).await.unwrap();
        if claims.is_empty() {
            return;
        }
        for claim in claims {
            assert_eq!(complete(store, samples, &claim).await, Held::Yes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_at_once_ends_in_step() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    let agents: Arc<Vec<StoredAgent>> = Arc::new((0..AGENTS).map(|_| samples.agent()).collect());
    for agent in agents.iter() {
        AgentStore::insert(&*fixture.here, agent, &samples.line(), None).await.unwrap();
    }
    let storms = (0..8).map(|number| {
        let store = if number % 2 == 0 { &fixture.here } else { &fixture.elsewhere };
        tokio::spawn(storm(Arc::clone(store), samples.clone(), Arc::clone(&agents), number))
    });
    for ended in join_all(storms).await {
        ended.unwrap();
    }
    settle(&fixture.here, &samples).await;

    for agent in agents.iter() {
        let state = fixture.elsewhere.state(&Reach::Everything, agent.agent.id).await.unwrap().unwrap();
        assert_eq!(state.applied, state.desired);
        assert!(state.removals.iter().all(|removal| removal.confirmed_at.is_some()), "{:?}", state.removals);
        let newest = state.integrations.iter().map(|(_, generation)| *generation).max();
        assert!(newest.unwrap_or_default() <= state.desired, "{newest:?} {}", state.desired);
    }
    assert!(fixture.here.claim(50, LEASE, samples.clock.now()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_two_targets_of_an_agent_may_end_at_once() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    for _ in 0..10 {
        let agent = samples.agent();
        AgentStore::insert(&*fixture.here, &agent, &samples.line(), None).await.unwrap();
        move_away(&fixture.here, &samples, &agent).await;
        let id = agent.agent.id;
        assert!(fixture.here.delete(&Reach::Everything, id, later(&samples), &samples.line()).await.unwrap());
    }
    let claims = fixture.here.claim(50, LEASE, samples.clock.now()).await.unwrap();
    assert_eq!(claims.len(), 20);
    let ends = claims.into_iter().enumerate().map(|(number, claim)| {
        let store = Arc::clone(if number % 2 == 0 { &fixture.here } else { &fixture.elsewhere });
        let samples = samples.clone();
        tokio::spawn(async move { complete(&store, &samples, &claim).await })
    });
    for ended in join_all(ends).await {
        assert_eq!(ended.unwrap(), Held::Yes);
    }
    let kept = KeyCustody::agent_keys(&*fixture.here, None, 50).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_at_the_time_of_a_move_leaves_nothing_alive() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    for _ in 0..20 {
        let agent = samples.agent();
        AgentStore::insert(&*fixture.here, &agent, &samples.line(), None).await.unwrap();
        let to = samples.target_elsewhere(&agent);
        let update = AgentUpdate {
            id: agent.agent.id,
            revision: agent.revision,
            name: agent.agent.name.clone(),
            updated_at: samples.clock.now(),
            target: TargetUpdate::Move { to, purge_until: later(&samples) },
        };
        let (new, until) = (samples.integration(&agent), later(&samples));
        let (move_line, delete_line, line) = (samples.line(), samples.line(), samples.line());
        let (moved, deleted, connected) = tokio::join!(
            AgentStore::update(&*fixture.here, &update, &move_line),
            fixture.elsewhere.delete(&Reach::Everything, agent.agent.id, until, &delete_line),
            IntegrationStore::insert(&*fixture.here, &new, &line, None),
        );
        let gone = |error: &UpdateAgentError| matches!(error, UpdateAgentError::NotFound | UpdateAgentError::Conflict);
        assert!(moved.as_ref().is_ok() || moved.as_ref().is_err_and(gone), "{moved:?}");
        assert!(connected.is_ok() || matches!(connected, Err(InsertError::AgentNotFound)), "{connected:?}");
        assert!(deleted.unwrap());
    }
    settle(&fixture.here, &samples).await;
    let kept = KeyCustody::agent_keys(&*fixture.here, None, 50).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
}
