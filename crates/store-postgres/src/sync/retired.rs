//! The end of targets that no longer belong to an agent.

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::FutureExt as _;
use nora_integrations::ports::{Claim, Completion, Held};
use nora_kernel::AgentId;
use nora_kernel::audit::AuditLine;

use super::claim::{held, of_lease};
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::rows::{Number, number};
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Two last targets of one agent that end at once must see each other go.
const LOCK_AGENT: &str = "SELECT deleted_at IS NOT NULL AS deleted FROM agents WHERE id = $1 FOR NO KEY UPDATE";

/// What was retired during the push confirmed an older state than the empty one: `$15` is what it confirmed.
const FORGET: &str = concat!(
    "WITH forgotten AS (DELETE FROM sync_targets WHERE id = $13 AND fence = $14 AND lease_until IS NOT NULL \
     AND role = 'retired' AND desired <= $15 RETURNING id), \
     audited AS (",
    insert_line!(),
    "forgotten) SELECT 1::bigint AS value FROM forgotten"
);

const ABANDON: &str = concat!(
    "WITH forgotten AS (DELETE FROM sync_targets WHERE id = $13 AND fence = $14 AND lease_until IS NOT NULL \
     AND role = 'retired' RETURNING id), \
     audited AS (",
    insert_line!(),
    "forgotten) SELECT 1::bigint AS value FROM forgotten"
);

const KEEP: &str = "UPDATE sync_targets SET applied = greatest(applied, $3), attempt = 0, failure_class = NULL, \
                    failure_at = NULL, last_synced_at = $4, lease_until = NULL, lease_owner = NULL \
                    WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL AND role = 'retired' \
                    RETURNING 1::bigint AS value";

/// A deleted agent's data key goes with the last of its targets.
const DESTROY: [&str; 3] = [
    "DELETE FROM integrations WHERE agent_id = $1 AND NOT EXISTS (SELECT FROM sync_targets WHERE agent_id = $1)",
    "DELETE FROM removals WHERE agent_id = $1 AND NOT EXISTS (SELECT FROM sync_targets WHERE agent_id = $1)",
    "DELETE FROM agents WHERE id = $1 AND deleted_at IS NOT NULL \
     AND NOT EXISTS (SELECT FROM sync_targets WHERE agent_id = $1)",
];

#[derive(QueryableByName)]
struct Agent {
    #[diesel(sql_type = Bool)]
    deleted: bool,
}

pub(super) async fn complete(
    store: &PostgresStore,
    claim: &Claim,
    completion: &Completion,
    line: &AuditLine,
) -> Result<Held, StoreError> {
    let generation = number(completion.generation);
    let forget = with_line(FORGET, line).uuid(claim.target.as_uuid()).number(claim.fence).number(generation);
    if end(store, claim.agent, forget).await? == Held::Yes {
        return Ok(Held::Yes);
    }
    let keep = of_lease(KEEP, claim).number(generation).number(completion.at.as_microseconds());
    let kept = held(&store.write(keep).await?);
    if kept == Held::Yes {
        store.signals.announce(Topic::Sync);
    }
    Ok(kept)
}

pub(super) async fn abandon(store: &PostgresStore, claim: &Claim, line: &AuditLine) -> Result<Held, StoreError> {
    let abandon = with_line(ABANDON, line).uuid(claim.target.as_uuid()).number(claim.fence);
    end(store, claim.agent, abandon).await
}

async fn end(store: &PostgresStore, agent: AgentId, forget: Statement) -> Result<Held, StoreError> {
    store.work(move |connection| end_in_transaction(connection, agent, forget).boxed()).await
}

async fn end_in_transaction(
    connection: &mut AsyncPgConnection,
    agent: AgentId,
    forget: Statement,
) -> Result<Held, StoreError> {
    connection
        .transaction(async |connection| {
            let locked = Statement::new(LOCK_AGENT).uuid(agent.as_uuid()).load::<Agent>(connection).await?;
            let forgotten = held(&forget.load::<Number>(connection).await?);
            if forgotten == Held::Yes && locked.first().is_some_and(|agent| agent.deleted) {
                for destroy in DESTROY {
                    Statement::new(destroy).uuid(agent.as_uuid()).run(connection).await?;
                }
            }
            Ok(forgotten)
        })
        .await
}
