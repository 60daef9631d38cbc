//! Requests beside workers that are far behind.

use std::sync::Arc;
use std::time::Duration;

use nora_agents::ports::AgentStore;
use nora_integrations::ports::{IntegrationStore, SyncStore as _};
use nora_kernel::{Clock as _, Reach};
use nora_testkit::Samples;
use tokio::task::JoinSet;

use crate::fixture::{Owner, PostgresFixture};

const LEASE: Duration = Duration::from_secs(15);

/// Sessions that wait for a lock.
const WAITING: &str = "SELECT count(*) AS value FROM pg_stat_activity WHERE datname = current_database() \
                       AND wait_event_type = 'Lock'";

#[tokio::test(flavor = "multi_thread")]
async fn workers_leave_connections_to_requests() {
    let fixture = PostgresFixture::start().await;
    let samples = Samples::at(fixture.clock.clone());
    let agent = samples.agent();
    AgentStore::insert(&*fixture.here, &agent, &samples.line(), None).await.unwrap();

    let mut owner = Owner::of(&fixture.database).await;
    owner.run("BEGIN; LOCK TABLE sync_targets").await;
    let mut claims = JoinSet::new();
    for _ in 0..32 {
        let (store, now) = (Arc::clone(&fixture.here), fixture.clock.now());
        claims.spawn(async move { store.claim(1, LEASE, now).await });
    }
    // Somebody else looks: within a transaction the server shows the same activity again and again.
    Owner::of(&fixture.database).await.wait_for(WAITING, 3).await;
    let found = IntegrationStore::list(&*fixture.here, &Reach::Everything, agent.agent.id).await.unwrap();
    assert_eq!(found.unwrap().len(), 0, "a request was answered while every worker waited");
    owner.run("COMMIT").await;
    // Those that waited for longer than a statement may wait for a lock have failed; that is not the matter here.
    claims.join_all().await;
}
