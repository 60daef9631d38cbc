//! What the next start of a server finds.

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::ports::{Completion, Held, SyncStore as _};
use nora_kernel::{Clock as _, PageRequest, Reach};
use nora_testkit::samples::workspace;
use nora_testkit::{Samples, Stores as _};

use crate::fixture::Database;

const LEASE: Duration = Duration::from_secs(15);

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_still_there() {
    let mut database = Database::start().await;
    let samples = Samples::at(database.clock.clone());
    let (agent, key) = (samples.agent(), samples.key());
    let integration = samples.integration(&agent);
    let lines = [samples.line(), samples.line(), samples.line()];
    database.store.agents().insert(&agent, &lines[0], None).await.unwrap();
    database.store.integrations().insert(&integration, &lines[1], None).await.unwrap();
    database.store.keys().insert(&key, &lines[2]).await.unwrap();

    database.restart().await;
    let store = Arc::clone(&database.store);
    let id = agent.agent.id;
    assert_eq!(store.agents().find(&Reach::Everything, id).await.unwrap(), Some(agent));
    let integrations = store.integrations().list(&Reach::Everything, id).await.unwrap();
    assert_eq!(integrations, Some(vec![integration.integration]));
    assert!(store.keys().find_by_public_id(&key.key.public_id).await.unwrap().is_some());
    let trail = store.audit().list(&workspace(), PageRequest::default()).await.unwrap();
    assert_eq!(trail.items.into_iter().rev().collect::<Vec<_>>(), lines);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_the_last_start_is_taken_over_at_once() {
    let mut database = Database::start().await;
    let samples = Samples::at(database.clock.clone());
    database.store.agents().insert(&samples.agent(), &samples.line(), None).await.unwrap();
    let now = database.clock.now();
    let left = database.store.claim(10, LEASE, now).await.unwrap().remove(0);
    assert_eq!(database.store.next_due().await.unwrap(), Some(now.after(LEASE)));

    database.restart().await;
    let store = Arc::clone(&database.store);
    assert_eq!(store.next_due().await.unwrap(), Some(now));
    let taken = store.claim(10, LEASE, now).await.unwrap().remove(0);
    assert_eq!((taken.target, taken.attempt), (left.target, 2));
    assert!(taken.fence > left.fence);
    let completion = Completion { generation: 1, variables: Vec::new(), at: now, next_check_at: now };
    assert_eq!(store.complete(&left, &completion, &samples.line()).await.unwrap(), Held::No);
    assert_eq!(store.complete(&taken, &completion, &samples.line()).await.unwrap(), Held::Yes);
}
