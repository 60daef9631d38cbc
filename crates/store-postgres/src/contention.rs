//! Changes that lock an agent's live target first.
//!
//! A statement sees the rows there were when it began. If it has to wait for a move of the agent, the live target it
//! waited for is retired when the wait ends, and the new one came too late for it to see: it changed nothing and has
//! to be run again.

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::FutureExt as _;
use nora_kernel::{AgentId, Timestamp};

use crate::channels;
use crate::error::StoreError;
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// How often a statement is run again. Each time another move has to come between.
const TRIES: usize = 10;

/// What became of a change.
#[derive(Debug, QueryableByName)]
pub(crate) struct Outcome {
    /// It was made.
    #[diesel(sql_type = Bool)]
    pub(crate) changed: bool,
    /// There is an agent, but no live target was found for it.
    #[diesel(sql_type = Bool)]
    missed: bool,
    /// What was to be changed is there.
    #[diesel(sql_type = Bool)]
    pub(crate) present: bool,
}

/// Whether there is an agent although the part `$locked` found no live target: agent and workspace are parameters, and
/// any workspace will do where it is null.
macro_rules! missed {
    ($locked:literal, $agent:literal, $workspace:literal) => {
        concat!(
            "NOT EXISTS (SELECT FROM ",
            $locked,
            ") AND EXISTS (SELECT FROM agents WHERE id = ",
            $agent,
            " AND deleted_at IS NULL AND (",
            $workspace,
            " IS NULL OR workspace = ",
            $workspace,
            ")) AS missed"
        )
    };
}
pub(crate) use missed;

/// Runs a change until it has not missed its target, and wakes a worker if it was made.
pub(crate) async fn change(
    store: &PostgresStore,
    statement: impl Fn() -> Result<Statement, StoreError>,
) -> Result<Outcome, StoreError> {
    for _ in 0..TRIES {
        if let Some(outcome) = settled(store, store.write(statement()?).await?) {
            return Ok(outcome);
        }
    }
    Err(StoreError::Contended)
}

/// The same for the deletion of an agent, whose channels are removed in the same transaction.
pub(crate) async fn delete(
    store: &PostgresStore,
    statement: impl Fn() -> Statement,
    (agent, at): (AgentId, Timestamp),
) -> Result<Outcome, StoreError> {
    for _ in 0..TRIES {
        let delete = statement();
        let rows = store.work(move |connection| delete_in_transaction(connection, delete, agent, at).boxed()).await?;
        if let Some(outcome) = settled(store, rows) {
            return Ok(outcome);
        }
    }
    Err(StoreError::Contended)
}

async fn delete_in_transaction(
    connection: &mut AsyncPgConnection,
    delete: Statement,
    agent: AgentId,
    at: Timestamp,
) -> Result<Vec<Outcome>, StoreError> {
    connection
        .transaction(async |connection| {
            let rows = delete.load::<Outcome>(connection).await?;
            if rows.iter().any(|outcome| outcome.changed) {
                channels::close_all(connection, agent, at).await?;
            }
            Ok(rows)
        })
        .await
}

/// The outcome, unless the change missed its target.
fn settled(store: &PostgresStore, rows: Vec<Outcome>) -> Option<Outcome> {
    let outcome = rows.into_iter().next().filter(|outcome| !outcome.missed)?;
    if outcome.changed {
        store.signals.announce(Topic::Sync);
    }
    Some(outcome)
}
