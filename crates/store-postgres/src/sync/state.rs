//! The state of one agent's sync.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as UuidType};
use diesel_async::AsyncPgConnection;
use futures_util::FutureExt as _;
use nora_integrations::ports::{Failure, FailureClass, RemovalRecord, SyncRecord};
use nora_kernel::{AgentId, IntegrationId, Reach, Timestamp};
use uuid::Uuid;

use super::variables;
use crate::error::StoreError;
use crate::integrations::{IntegrationRow, integration_columns};
use crate::rows::{count, known, names, parse, time, workspace_of};
use crate::statement::Statement;
use crate::store::PostgresStore;

const TARGET: &str = "SELECT target.desired, target.applied, target.blocked, target.next_attempt_at, \
                      target.last_synced_at, target.failure_class, target.failure_at, target.device_id, target.variables \
                      FROM agents AS agent \
                      JOIN sync_targets AS target ON target.agent_id = agent.id AND target.role = 'live' \
                      WHERE agent.id = $1 AND agent.deleted_at IS NULL AND ($2 IS NULL OR agent.workspace = $2)";

const INTEGRATIONS: &str = concat!(
    "SELECT ",
    integration_columns!(),
    " FROM integrations AS integration WHERE integration.agent_id = $1 \
     ORDER BY integration.created_at DESC, integration.id DESC"
);

const REMOVALS: &str = "SELECT integration_id, provider, label, names, confirmed_at FROM removals \
                        WHERE agent_id = $1 ORDER BY removed_at DESC, integration_id DESC LIMIT 100";

#[derive(QueryableByName)]
struct TargetRow {
    #[diesel(sql_type = BigInt)]
    desired: i64,
    #[diesel(sql_type = BigInt)]
    applied: i64,
    #[diesel(sql_type = Bool)]
    blocked: bool,
    #[diesel(sql_type = BigInt)]
    next_attempt_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    last_synced_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    failure_class: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    failure_at: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    device_id: Option<String>,
    #[diesel(sql_type = Text)]
    variables: String,
}

#[derive(QueryableByName)]
struct RemovalRow {
    #[diesel(sql_type = UuidType)]
    integration_id: Uuid,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    names: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    confirmed_at: Option<i64>,
}

impl TargetRow {
    fn next_attempt_at(&self) -> Option<Timestamp> {
        (!self.blocked).then(|| Timestamp::from_microseconds(self.next_attempt_at))
    }

    fn failure(&self) -> Result<Option<Failure>, StoreError> {
        let (Some(class), Some(at)) = (&self.failure_class, time(self.failure_at)) else { return Ok(None) };
        let class = known("sync_targets.failure_class", FailureClass::from_wire(class))?;
        Ok(Some(Failure { class, at, next_attempt_at: self.next_attempt_at() }))
    }
}

impl TryFrom<RemovalRow> for RemovalRecord {
    type Error = StoreError;

    fn try_from(row: RemovalRow) -> Result<Self, StoreError> {
        Ok(Self {
            integration: IntegrationId::from_uuid(row.integration_id),
            provider: parse("removals.provider", &row.provider)?,
            label: parse("removals.label", &row.label)?,
            names: names("removals.names", &row.names)?,
            confirmed_at: time(row.confirmed_at),
        })
    }
}

type Rows = (TargetRow, Vec<IntegrationRow>, Vec<RemovalRow>);

pub(super) async fn state(
    store: &PostgresStore,
    reach: &Reach,
    agent: AgentId,
) -> Result<Option<SyncRecord>, StoreError> {
    let target = Statement::new(TARGET).uuid(agent.as_uuid()).optional_text(workspace_of(reach));
    let rows = store.work(move |connection| read(connection, target, agent).boxed()).await?;
    rows.map(record).transpose()
}

/// Three statements that see one moment.
async fn read(
    connection: &mut AsyncPgConnection,
    target: Statement,
    agent: AgentId,
) -> Result<Option<Rows>, StoreError> {
    connection
        .build_transaction()
        .repeatable_read()
        .read_only()
        .run(async |connection| {
            let Some(target) = target.load(connection).await?.into_iter().next() else { return Ok(None) };
            let integrations = Statement::new(INTEGRATIONS).uuid(agent.as_uuid()).load(connection).await?;
            let removals = Statement::new(REMOVALS).uuid(agent.as_uuid()).load(connection).await?;
            Ok(Some((target, integrations, removals)))
        })
        .await
}

fn record((target, integrations, removals): Rows) -> Result<SyncRecord, StoreError> {
    let desired = count("sync_targets.desired", target.desired)?;
    let applied = count("sync_targets.applied", target.applied)?;
    let integrations = integrations.iter().map(|row| Ok::<_, StoreError>((row.integration()?, row.generation()?)));
    Ok(SyncRecord {
        desired,
        applied,
        last_synced_at: time(target.last_synced_at),
        next_attempt_at: target.next_attempt_at().filter(|_| desired > applied),
        last_failure: target.failure()?,
        variables: variables::read(&target.variables)?,
        device_id: target.device_id,
        integrations: integrations.collect::<Result<_, _>>()?,
        removals: removals.into_iter().map(RemovalRecord::try_from).collect::<Result<_, _>>()?,
    })
}
