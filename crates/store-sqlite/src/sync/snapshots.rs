//! What a push needs, read at one moment.

use diesel::prelude::*;
use nora_integrations::StoredIntegration;
use nora_integrations::ports::{CheckedTarget, Claim, Snapshot};
use nora_kernel::audit::AuditLine;
use nora_kernel::{Workspace, WrappedKey};

use super::HeldRow;
use super::owned::Owned;
use crate::audit::write_line;
use crate::failure::{Ending, corrupt};
use crate::integrations::IntegrationRow;
use crate::schema::{agents, integrations, sync_targets};
use crate::targets::TargetRow;
use crate::value::{Id, Parsed};

type Found = (HeldRow, TargetRow, Owned, Parsed<Workspace>, Vec<u8>);

/// The target of a claim whose lease still runs, with its agent's key.
pub(super) fn target(connection: &mut SqliteConnection, claim: &Claim) -> Ending<Option<(CheckedTarget, HeldRow)>> {
    let found: Option<Found> = sync_targets::table
        .inner_join(agents::table.on(agents::id.eq(sync_targets::agent_id)))
        .filter(sync_targets::id.eq(Id::from(claim.target)))
        .filter(sync_targets::fence.eq(claim.fence))
        .filter(sync_targets::lease_until.is_not_null())
        .select((
            HeldRow::as_select(),
            TargetRow::as_select(),
            sync_targets::owned,
            agents::workspace,
            agents::data_key,
        ))
        .first(connection)
        .optional()?;
    let Some((held, target, Owned(owned), workspace, key)) = found else { return Ok(None) };
    let target = target.into_target(workspace.0).ok_or_else(|| corrupt("an address of a target does not parse"))?;
    Ok(Some((CheckedTarget { target, key: WrappedKey(key), owned }, held)))
}

pub(super) fn snapshot(connection: &mut SqliteConnection, claim: &Claim, line: &AuditLine) -> Ending<Option<Snapshot>> {
    let Some((checked, held)) = target(connection, claim)? else { return Ok(None) };
    let CheckedTarget { target, key, owned } = checked;
    let integrations =
        if held.is_retired() { Vec::new() } else { integrations(connection, held.agent_id, &target.workspace)? };
    if integrations.iter().any(|stored| stored.secrets.is_some()) {
        write_line(connection, line)?;
    }
    Ok(Some(Snapshot { target, key, generation: held.desired.0, integrations, owned }))
}

/// An agent's integrations, oldest first.
fn integrations(
    connection: &mut SqliteConnection,
    agent: Id,
    workspace: &Workspace,
) -> QueryResult<Vec<StoredIntegration>> {
    let rows: Vec<IntegrationRow> = integrations::table
        .filter(integrations::agent_id.eq(agent))
        .order((integrations::created_at.asc(), integrations::id.asc()))
        .select(IntegrationRow::as_select())
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.into_stored(workspace)).collect())
}
