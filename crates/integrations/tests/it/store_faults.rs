//! A store that fails is an error of the step, never a verdict about the runtime.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::Reconciler;
use nora_integrations::ports::{
    Agreed, CheckedTarget, Claim, Completion, Failure, FailureClass, Held, OwnedVariable, Snapshot, SyncRecord,
    SyncStore, Unconfirmed,
};
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, IntegrationId, Reach, Timestamp, Unavailable};
use serde_json::json;

use crate::support::{Asked, Reaction, World};

mockall::mock! {
    Store {}

    #[async_trait]
    impl SyncStore for Store {
        async fn claim(&self, limit: u16, lease: Duration, now: Timestamp) -> Result<Vec<Claim>, Unavailable>;
        async fn renew(&self, claim: &Claim, until: Timestamp) -> Result<Held, Unavailable>;
        async fn release(&self, claims: &[Claim]) -> Result<(), Unavailable>;
        async fn snapshot(&self, claim: &Claim, line: &AuditLine) -> Result<Option<Snapshot>, Unavailable>;
        async fn complete(
            &self,
            claim: &Claim,
            completion: &Completion,
            line: &AuditLine,
        ) -> Result<Held, Unavailable>;
        async fn targets(&self, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, Unavailable>;
        async fn record_owned(&self, claim: &Claim, owned: &[OwnedVariable]) -> Result<Held, Unavailable>;
        async fn checked(&self, agreed: &[Agreed]) -> Result<Vec<Held>, Unavailable>;
        async fn raise(
            &self,
            claim: &Claim,
            current: u64,
            next_attempt_at: Timestamp,
            line: &AuditLine,
        ) -> Result<Held, Unavailable>;
        async fn fail(&self, claim: &Claim, failure: &Failure, pushed: Option<u64>) -> Result<Held, Unavailable>;
        async fn abandon(&self, claim: &Claim, line: &AuditLine) -> Result<Held, Unavailable>;
        async fn mark_unreadable(
            &self,
            integration: IntegrationId,
            secrets_version: u64,
            line: &AuditLine,
        ) -> Result<(), Unavailable>;
        async fn state(&self, reach: &Reach, agent: AgentId) -> Result<Option<SyncRecord>, Unavailable>;
        async fn unconfirmed(&self) -> Result<Vec<Unconfirmed>, Unavailable>;
        async fn changed(&self);
        async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable>;
    }
}

fn down<T>() -> Result<T, Unavailable> {
    Err(Unavailable::transient("down"))
}

/// A world with one push to do, its claim, and what the store would have read for it.
async fn behind() -> (World, Claim, Snapshot) {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp").with(json!({ "org": "acme" }))).await;
    let claim = world.claim().await;
    let line = world.last_line().await;
    let snapshot = world.connections.sync.snapshot(&claim, &line).await.unwrap().unwrap();
    (world, claim, snapshot)
}

async fn run(world: &World, store: MockStore, claim: &Claim) {
    let reconciler = Reconciler { store: Arc::new(store), ..world.reconciler.clone() };
    let error = reconciler.run(claim).await.unwrap_err();
    assert!(error.is_retryable());
}

#[tokio::test]
async fn nothing_is_pushed_that_could_not_be_read() {
    let (world, claim, _) = behind().await;
    let mut store = MockStore::new();
    store.expect_snapshot().times(1).returning(|_, _| down());
    run(&world, store, &claim).await;
    assert!(world.runtime.seen().is_empty());
}

#[tokio::test]
async fn a_success_that_cannot_be_recorded_is_no_failure_of_the_runtime() {
    let (world, claim, snapshot) = behind().await;
    let mut store = MockStore::new();
    store.expect_snapshot().return_once(|_, _| Ok(Some(snapshot)));
    store.expect_complete().times(1).returning(|_, _, _| down());
    store.expect_fail().never();
    run(&world, store, &claim).await;
    assert_eq!(world.runtime.pushes().len(), 1);
}

#[tokio::test]
async fn a_failure_that_cannot_be_recorded_is_an_error() {
    for (reaction, raises) in [(Reaction::Fails(FailureClass::Timeout), false), (Reaction::Claims(99), true)] {
        let (world, claim, snapshot) = behind().await;
        world.runtime.will(reaction);
        let mut store = MockStore::new();
        store.expect_snapshot().return_once(|_, _| Ok(Some(snapshot)));
        store.expect_fail().times(usize::from(!raises)).returning(|_, _, _| down());
        store.expect_raise().times(usize::from(raises)).returning(|_, _, _, _| down());
        run(&world, store, &claim).await;
    }
}

#[tokio::test]
async fn nothing_is_left_out_silently() {
    let (world, claim, snapshot) = behind().await;
    world.vault.loses(snapshot.integrations[0].integration.id.as_uuid());
    let mut store = MockStore::new();
    store.expect_snapshot().return_once(|_, _| Ok(Some(snapshot)));
    store.expect_mark_unreadable().times(1).returning(|_, _, _| down());
    run(&world, store, &claim).await;
    assert!(world.runtime.seen().is_empty(), "an integration is left out only if that could be written down");
}

#[tokio::test]
async fn a_check_that_cannot_be_read_asks_nobody() {
    let world = World::new();
    world.synced_agent().await;
    world.wait(300);
    let claim = world.claim().await;
    let mut store = MockStore::new();
    store.expect_targets().times(1).returning(|_| down());
    run(&world, store, &claim).await;
    assert!(world.runtime.seen().is_empty());
}
