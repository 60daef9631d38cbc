//! Replacing the set of servers that are switched on.

use diesel_async::{AsyncConnection as _, AsyncPgConnection};
use futures_util::FutureExt as _;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ProviderId, Reach};
use nora_mcp_servers::ports::AgentServers;

use super::read::{Row, finding, found};
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::rows::{Number, any, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;

/// Replacements happen one after the other; the next statement sees what the one before it committed.
const LOCK: &str = "SELECT 1::bigint AS value FROM agents WHERE id = $1 AND deleted_at IS NULL \
                    AND ($2 IS NULL OR workspace = $2) FOR NO KEY UPDATE";

/// The integrations are locked against removal, which would not see what is being added.
const SELECT: &str = concat!(
    "WITH fed AS MATERIALIZED (SELECT provider FROM integrations \
     WHERE agent_id = $13 AND provider = ANY ($14) AND readable FOR KEY SHARE), \
     ended AS (DELETE FROM mcp_selections WHERE agent_id = $13 AND provider NOT IN (SELECT provider FROM fed)), \
     begun AS (INSERT INTO mcp_selections (agent_id, provider) SELECT DISTINCT $13, provider FROM fed \
     ON CONFLICT DO NOTHING) ",
    insert_line!(),
    "(SELECT 1) AS once"
);

const OPENING: &str = concat!(insert_line!(), "(SELECT 1) AS once");

pub(super) async fn select(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
    providers: &[ProviderId],
    line: &AuditLine,
) -> Result<Option<AgentServers>, StoreError> {
    let lock = Statement::new(LOCK).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    let providers = providers.iter().map(ToString::to_string).collect();
    let select = with_line(SELECT, line).uuid(agent.as_uuid()).texts(providers);
    let find = finding(reach, agent);
    store.work(move |connection| replace(connection, lock, select, find).boxed()).await
}

async fn replace(
    connection: &mut AsyncPgConnection,
    lock: Statement,
    select: Statement,
    find: Statement,
) -> Result<Option<AgentServers>, StoreError> {
    connection
        .transaction(async |connection| {
            if !any(&lock.load::<Number>(connection).await?) {
                return Ok(None);
            }
            select.run(connection).await?;
            found(find.load::<Row>(connection).await?)
        })
        .await
}

pub(super) async fn opening(store: &PostgresStore, line: &AuditLine) -> Result<(), StoreError> {
    let opening = with_line(OPENING, line);
    store.execute(opening).await.map(drop)
}
