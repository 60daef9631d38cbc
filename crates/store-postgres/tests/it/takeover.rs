//! Leases that a dead process left behind.

use std::sync::Arc;
use std::time::Duration;

use nora_agents::ports::AgentStore;
use nora_integrations::ports::{Claim, Held, SyncStore as _};
use nora_kernel::Clock as _;
use nora_store_postgres::PostgresStore;
use nora_testkit::Samples;
use nora_testkit_postgres::TestDatabase;

use crate::fixture::{CUT_LISTENERS, LISTENERS, Owner, open_with, options};

const LEASE: Duration = Duration::from_secs(15);

async fn open_on(host: &str, database: &TestDatabase) -> Arc<PostgresStore> {
    let mut options = options(database.url());
    options.host = host.to_owned();
    open_with(options).await
}

async fn claim(store: &PostgresStore, samples: &Samples) -> Vec<Claim> {
    store.claim(10, LEASE, samples.clock.now()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_process_of_the_same_host_that_died_loses_its_leases_early() {
    let (database, samples) = (TestDatabase::create().await, Samples::new());
    let mut owner = Owner::of(&database).await;
    let dying = open_on("one", &database).await;
    AgentStore::insert(&*dying, &samples.agent(), &samples.line(), None).await.unwrap();
    let [left] = claim(&dying, &samples).await.try_into().unwrap();

    let neighbour = open_on("one", &database).await;
    assert_eq!(claim(&neighbour, &samples).await, [], "its owner lives");
    assert_eq!(dying.renew(&left, samples.clock.now().after(LEASE)).await.unwrap(), Held::Yes);

    drop(dying);
    owner.wait_for(LISTENERS, 1).await;
    let far = open_on("two", &database).await;
    let similar = open_on("on", &database).await;
    assert_eq!((claim(&far, &samples).await, claim(&similar, &samples).await), (vec![], vec![]), "another host");
    let [taken] = claim(&neighbour, &samples).await.try_into().unwrap();
    assert_eq!((taken.target, taken.attempt), (left.target, 2));
    assert!(taken.fence > left.fence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_its_connection_keeps_its_newer_leases() {
    let (database, samples) = (TestDatabase::create().await, Samples::new());
    let mut owner = Owner::of(&database).await;
    let store = open_on("one", &database).await;
    AgentStore::insert(&*store, &samples.agent(), &samples.line(), None).await.unwrap();
    owner.run(CUT_LISTENERS).await;
    // After this the lock is held again, by another session of the same process.
    assert_eq!(nora_access::ports::KeyStore::revocation(&*store).await, None);
    owner.wait_for(LISTENERS, 1).await;
    assert_eq!(claim(&store, &samples).await.len(), 1);
    let neighbour = open_on("one", &database).await;
    assert_eq!(claim(&neighbour, &samples).await, []);
}
