//! Hearing of what other servers do.

use std::sync::Arc;

use futures_util::FutureExt as _;
use nora_access::ports::KeyStore;
use nora_agents::ports::AgentStore;
use nora_integrations::ports::SyncStore as _;
use nora_kernel::{ApiKeyId, Reach};
use nora_store_postgres::PostgresStore;
use nora_testkit::Samples;

use crate::fixture::{CUT_LISTENERS, LISTENERS, Owner, PostgresFixture};

async fn revoke(store: &PostgresStore, samples: &Samples) -> ApiKeyId {
    let key = samples.key();
    KeyStore::insert(store, &key, &samples.line()).await.unwrap();
    assert!(store.revoke(&Reach::Everything, key.key.id, &samples.line()).await.unwrap());
    key.key.id
}

async fn add_agent(store: &PostgresStore, samples: &Samples) {
    AgentStore::insert(store, &samples.agent(), &samples.line(), None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_heard_of_before_anybody_asks() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    let (one, other) = (revoke(&fixture.here, &samples).await, revoke(&fixture.elsewhere, &samples).await);
    for store in [&fixture.here, &fixture.elsewhere] {
        assert_eq!([store.revocation().await, store.revocation().await], [Some(one), Some(other)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_made_again_and_may_have_missed_anything() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    let mut owner = Owner::of(&fixture.database).await;
    assert_eq!(owner.number(LISTENERS).await, 2);
    owner.run(CUT_LISTENERS).await;
    for store in [&fixture.here, &fixture.elsewhere] {
        store.changed().await;
        assert_eq!(store.revocation().await, None);
    }
    owner.wait_for(LISTENERS, 2).await;

    let revoked = revoke(&fixture.here, &samples).await;
    assert_eq!(fixture.elsewhere.revocation().await, Some(revoked));
    add_agent(&fixture.here, &samples).await;
    fixture.elsewhere.changed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_is_told_of_although_the_connection_was_lost_when_it_came() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    let mut owner = Owner::of(&fixture.database).await;
    owner.run(CUT_LISTENERS).await;
    add_agent(&fixture.here, &samples).await;
    assert!(fixture.here.changed().now_or_never().is_some(), "the server that did it needs no connection to know");
    fixture.elsewhere.changed().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_tells_does_not_come_back_to_it() {
    let (fixture, samples) = (PostgresFixture::start().await, Samples::new());
    add_agent(&fixture.here, &samples).await;
    fixture.here.changed().await;
    fixture.elsewhere.changed().await;
    // Heard of after the notification on the same connection, in the order they were sent.
    let revoked = revoke(&fixture.here, &samples).await;
    assert_eq!(fixture.here.revocation().await, Some(revoked));
    assert!(fixture.here.changed().now_or_never().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_store_listens_no_more() {
    let fixture = PostgresFixture::start().await;
    let mut owner = Owner::of(&fixture.database).await;
    let PostgresFixture { here, elsewhere, clock: _, database: _database } = fixture;
    assert_eq!(Arc::strong_count(&here), 1);
    drop(here);
    owner.wait_for(LISTENERS, 1).await;
    drop(elsewhere);
    owner.wait_for(LISTENERS, 0).await;
}
