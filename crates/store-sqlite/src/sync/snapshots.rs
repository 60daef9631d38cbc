//! What a push needs, read at one moment.

use diesel::prelude::*;
use nora_integrations::ports::{CheckedTarget, Claim, Snapshot};
use nora_kernel::audit::AuditLine;
use nora_kernel::{ProviderId, Workspace, WrappedKey};

use super::owned::Owned;
use super::{HeldRow, of_lease};
use crate::audit::write_line;
use crate::failure::{Ending, corrupt};
use crate::integrations::of_agent;
use crate::schema::{agents, deployments, sync_targets};
use crate::targets::TargetRow;
use crate::value::{Id, Names, Parsed};

type Found = (HeldRow, TargetRow, Owned, Parsed<Workspace>, Vec<u8>);

/// The target of a claim whose lease still runs, with its agent's key.
pub(super) fn target(connection: &mut SqliteConnection, claim: &Claim) -> Ending<Option<(CheckedTarget, HeldRow)>> {
    let found: Option<Found> = sync_targets::table
        .inner_join(agents::table.on(agents::id.eq(sync_targets::agent_id)))
        .filter(of_lease!(claim))
        .select((
            HeldRow::as_select(),
            TargetRow::as_select(),
            sync_targets::owned,
            agents::workspace,
            agents::data_key,
        ))
        .get_result(connection)
        .optional()?;
    let Some((held, target, Owned(owned), workspace, key)) = found else { return Ok(None) };
    let target = target.into_target(workspace.0).ok_or_else(|| corrupt("an address of a target does not parse"))?;
    Ok(Some((CheckedTarget { target, key: WrappedKey(key), owned }, held)))
}

/// The targets of claims whose leases still run; each is a moment of its own.
pub(super) fn targets(connection: &mut SqliteConnection, claims: &[Claim]) -> Ending<Vec<Option<CheckedTarget>>> {
    claims.iter().map(|claim| Ok(target(connection, claim)?.map(|(checked, _)| checked))).collect()
}

pub(super) fn snapshot(connection: &mut SqliteConnection, claim: &Claim, line: &AuditLine) -> Ending<Option<Snapshot>> {
    let Some((checked, held)) = target(connection, claim)? else { return Ok(None) };
    let CheckedTarget { target, key, owned } = checked;
    let (integrations, undeploy) = if held.is_retired() {
        (Vec::new(), deployed(connection, held.id)?)
    } else {
        (of_agent(connection, held.agent_id, &target.workspace)?, Vec::new())
    };
    if integrations.iter().any(|stored| stored.secrets.is_some()) {
        write_line(connection, line)?;
    }
    Ok(Some(Snapshot { target, key, generation: held.desired.0, integrations, undeploy, owned }))
}

/// The servers that a target may hold.
fn deployed(connection: &mut SqliteConnection, target: Id) -> QueryResult<Vec<ProviderId>> {
    let servers: Option<Names<ProviderId>> =
        deployments::table.find(target).select(deployments::servers).get_result(connection).optional()?;
    Ok(servers.map(|names| names.0).unwrap_or_default())
}
