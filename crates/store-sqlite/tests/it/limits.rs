//! Values at the end of what a column holds.

use std::time::Duration;

use nora_integrations::ports::Held;
use nora_kernel::{Clock as _, Reach, Readiness as _};
use nora_testkit::{Samples, Stores as _};

use crate::fixture::Database;

const LEASE: Duration = Duration::from_secs(15);

/// A runtime may claim to hold any generation. One that leaves no room above it harms nobody but its own agent.
#[tokio::test(flavor = "multi_thread")]
async fn a_generation_without_a_next_one_stays_with_its_agent() {
    let database = Database::start().await;
    let (store, samples, now) = (&database.store, Samples::at(database.clock.clone()), database.clock.now());
    let (agent, other) = (samples.agent(), samples.agent());
    store.agents().insert(&agent, &samples.line(), None).await.unwrap();
    let claim = store.sync().claim(1, LEASE, now).await.unwrap().remove(0);
    let line = samples.line();
    let beyond = u64::try_from(i64::MAX).unwrap();
    let refused = store.sync().raise(&claim, beyond, now, &line).await.unwrap_err();
    assert!(!refused.is_retryable(), "{refused:?}");
    assert_eq!(store.sync().raise(&claim, beyond - 1, now, &line).await.unwrap(), Held::Yes);

    store.agents().insert(&other, &samples.line(), None).await.unwrap();
    let (agents, line) = (store.agents(), samples.line());
    let stuck = tokio::spawn(async move { agents.request_sync(&Reach::Everything, agent.agent.id, &line).await });
    let mut others = Vec::new();
    for _ in 0..20 {
        let (agents, line, id) = (store.agents(), samples.line(), other.agent.id);
        others.push(tokio::spawn(async move { agents.request_sync(&Reach::Everything, id, &line).await }));
    }
    let stuck = stuck.await.unwrap().unwrap_err();
    assert!(!stuck.is_retryable(), "{stuck:?}");
    for other in others {
        assert!(other.await.unwrap().unwrap());
    }
    store.ready().await.unwrap();
}
