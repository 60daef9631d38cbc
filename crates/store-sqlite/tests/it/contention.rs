//! Somebody else's tool on the same file.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use nora_agents::ports::InsertAgentError;
use nora_kernel::{Reach, Readiness as _};
use nora_testkit::{Samples, Stores as _};

use crate::fixture::Database;

/// The lock keeps other servers away, not a person with a shell. Whoever writes there holds up our writes, not our
/// reads, and breaks nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_not_ours_is_waited_for_and_survived() {
    let database = Database::start().await;
    let (store, samples) = (&database.store, Samples::at(database.clock.clone()));
    let (first, second, line) = (samples.agent(), samples.agent(), samples.line());
    store.agents().insert(&first, &samples.line(), None).await.unwrap();
    let mut tool = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    tool.batch_execute("BEGIN IMMEDIATE").unwrap();

    let agents = store.agents();
    let (refused, found) =
        tokio::join!(agents.insert(&second, &line, None), agents.find(&Reach::Everything, first.agent.id));
    assert_eq!(found.unwrap(), Some(first));
    match refused {
        Err(InsertAgentError::Unavailable(unavailable)) => assert!(unavailable.is_retryable(), "{unavailable:?}"),
        other => panic!("{other:?}"),
    }
    tool.batch_execute("ROLLBACK").unwrap();
    store.agents().insert(&second, &line, None).await.unwrap();
    store.ready().await.unwrap();
}
