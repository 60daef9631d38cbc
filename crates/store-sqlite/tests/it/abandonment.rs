//! Callers that go away in the middle of a call.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use nora_agents::ports::AgentStore;
use nora_kernel::{Reach, Readiness as _};
use nora_testkit::Samples;

use crate::fixture::Database;

/// Begins a call and drops it, as a rule while it is under way.
fn begin_and_drop<F: Future>(call: F) {
    let mut call = pin!(call);
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_write_is_done_and_leaves_nothing_open() {
    let database = Database::start().await;
    let samples = Samples::at(database.clock.clone());
    let store: Arc<dyn AgentStore> = database.store.clone();
    let (dropped, line) = (samples.agent(), samples.line());
    begin_and_drop(store.insert(&dropped, &line, None));

    // The next one waits for it, in whatever transaction it is.
    let next = samples.agent();
    store.insert(&next, &samples.line(), None).await.unwrap();
    for agent in [dropped, next] {
        assert_eq!(store.find(&Reach::Everything, agent.agent.id).await.unwrap(), Some(agent));
    }
    database.store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runtime_that_ends_takes_no_connection_with_it() {
    let database = Database::start().await;
    let samples = Samples::at(database.clock.clone());
    let agent = samples.agent();
    for round in 0..8 {
        let (store, samples, id) = (Arc::clone(&database.store), samples.clone(), agent.agent.id);
        let worker = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (written, line) = (samples.agent(), samples.line());
                if round % 2 == 0 {
                    begin_and_drop(store.insert(&written, &line, None));
                } else {
                    begin_and_drop(AgentStore::find(store.as_ref(), &Reach::Everything, id));
                }
            });
        });
        worker.join().unwrap();
    }
    let store: Arc<dyn AgentStore> = database.store.clone();
    store.insert(&agent, &samples.line(), None).await.unwrap();
    assert_eq!(store.find(&Reach::Everything, agent.agent.id).await.unwrap(), Some(agent));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_waits_together_fails_alone() {
    let database = Database::start().await;
    let samples = Samples::at(database.clock.clone());
    let store: Arc<dyn AgentStore> = database.store.clone();
    let twice = samples.agent();
    let mut calls = Vec::new();
    for number in 0..60 {
        let agent = if number % 3 == 0 { twice.clone() } else { samples.agent() };
        let (store, line) = (Arc::clone(&store), samples.line());
        calls.push(tokio::spawn(async move { store.insert(&agent, &line, None).await.is_ok() }));
    }
    let mut added = 0;
    for call in calls {
        added += usize::from(call.await.unwrap());
    }
    assert_eq!(added, 41, "all but the repetitions of one");
}
