//! Everything a push needs, as of one moment.

use std::collections::HashMap;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};
use nora_integrations::ports::{CheckedTarget, Claim, Snapshot};
use nora_kernel::audit::AuditLine;

use super::claim::of_leases;
use super::owned;
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::integrations::{IntegrationRow, integration_columns};
use crate::rows::{count, names};
use crate::store::PostgresStore;
use crate::targets::{TargetRow, target_columns};

/// One statement sees one moment. The target's columns come with every integration, and once if there is none.
const SNAPSHOT: &str = concat!(
    "WITH held AS MATERIALIZED (SELECT ",
    target_columns!(),
    ", target.desired AS target_desired, target.role AS target_role, target.owned AS target_owned, \
     (SELECT servers FROM deployments WHERE target_id = target.id AND target.role = 'retired') AS target_servers \
     FROM sync_targets AS target JOIN agents AS agent ON agent.id = target.agent_id \
     WHERE target.id = $13 AND target.fence = $14 AND target.lease_until IS NOT NULL), \
     audited AS (",
    insert_line!(),
    "held WHERE target_role = 'live' AND EXISTS (SELECT FROM integrations \
     WHERE agent_id = held.place_agent AND secrets IS NOT NULL)) \
     SELECT held.*, ",
    integration_columns!(),
    " FROM held LEFT JOIN integrations AS integration \
     ON integration.agent_id = held.place_agent AND held.target_role = 'live' \
     ORDER BY integration.created_at, integration.id"
);

/// Targets are looked up one by one: the planner cannot know how few they are.
const TARGETS: &str = concat!(
    "SELECT lease.place, ",
    target_columns!(),
    ", target.owned AS target_owned FROM unnest($1, $2) WITH ORDINALITY AS lease (id, fence, place) \
     CROSS JOIN LATERAL (SELECT * FROM sync_targets WHERE id = lease.id AND fence = lease.fence \
     AND lease_until IS NOT NULL OFFSET 0) AS target \
     CROSS JOIN LATERAL (SELECT * FROM agents WHERE id = target.agent_id OFFSET 0) AS agent"
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    target: TargetRow,
    #[diesel(sql_type = BigInt, column_name = target_desired)]
    desired: i64,
    #[diesel(sql_type = Nullable<Text>, column_name = target_servers)]
    servers: Option<String>,
    #[diesel(sql_type = Text, column_name = target_owned)]
    owned: String,
    #[diesel(embed)]
    integration: Option<IntegrationRow>,
}

#[derive(QueryableByName)]
struct CheckedRow {
    /// Which claim it belongs to, counted from one.
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(embed)]
    target: TargetRow,
    #[diesel(sql_type = Text, column_name = target_owned)]
    owned: String,
}

impl TryFrom<CheckedRow> for CheckedTarget {
    type Error = StoreError;

    fn try_from(row: CheckedRow) -> Result<Self, StoreError> {
        let (target, key) = row.target.into_parts()?;
        Ok(Self { target, key, owned: owned::read(&row.owned)? })
    }
}

pub(super) async fn snapshot(
    store: &PostgresStore,
    claim: &Claim,
    line: &AuditLine,
) -> Result<Option<Snapshot>, StoreError> {
    let read = with_line(SNAPSHOT, line).uuid(claim.target.as_uuid()).number(claim.fence);
    let mut rows = store.write::<Row>(read).await?.into_iter();
    let Some(first) = rows.next() else { return Ok(None) };
    let (target, key) = first.target.into_parts()?;
    let integrations = first.integration.into_iter().chain(rows.filter_map(|row| row.integration));
    let integrations = integrations.map(|row| row.stored(target.workspace.clone())).collect::<Result<_, _>>()?;
    let generation = count("sync_targets.desired", first.desired)?;
    let undeploy = first.servers.map(|servers| names("deployments.servers", &servers)).transpose()?;
    let (owned, undeploy) = (owned::read(&first.owned)?, undeploy.unwrap_or_default());
    Ok(Some(Snapshot { target, key, generation, integrations, undeploy, owned }))
}

pub(super) async fn targets(store: &PostgresStore, claims: &[Claim]) -> Result<Vec<Option<CheckedTarget>>, StoreError> {
    let rows = store.select::<CheckedRow>(of_leases(TARGETS, claims)).await?;
    let found = rows.into_iter().map(|row| Ok((row.place, row.try_into()?)));
    let mut found = found.collect::<Result<HashMap<i64, CheckedTarget>, StoreError>>()?;
    Ok((1..).zip(claims).map(|(place, _)| found.remove(&place)).collect())
}
