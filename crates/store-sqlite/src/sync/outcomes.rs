//! How pushes and checks end.

use diesel::prelude::*;
use nora_integrations::ports::{Agreed, Claim, Completion, Failure, Held, Role};
use nora_kernel::audit::AuditLine;

use super::variables::Variables;
use super::{HeldRow, held, no_lease, of_lease};
use crate::audit::write_line;
use crate::schema::{agents, integrations, removals, sync_targets};
use crate::statement::Kept;
use crate::value::{Count, Id, Time};
use crate::writer::Transaction;

pub(super) fn complete(
    transaction: &mut Transaction<'_>,
    claim: &Claim,
    completion: Completion,
    line: &AuditLine,
) -> QueryResult<Held> {
    let Some(target) = held(transaction.connection, claim)? else { return Ok(Held::No) };
    let pushed = Count(completion.generation);
    if target.is_retired() && pushed >= target.desired {
        forget(transaction.connection, &target)?;
        write_line(transaction.connection, line)?;
        return Ok(Held::Yes);
    }
    if pushed < target.desired {
        transaction.tell_due();
    }
    if !target.is_retired() {
        confirm_removals(transaction.connection, target.agent_id, pushed, Time(completion.at))?;
    }
    record(transaction.connection, &target, completion)?;
    Ok(Held::Yes)
}

/// A generation that was never asked for cannot count as applied: the changes up to it would never be pushed.
fn record(connection: &mut SqliteConnection, target: &HeldRow, completion: Completion) -> QueryResult<()> {
    let applied = target.applied.max(Count(completion.generation)).min(target.desired);
    Kept(diesel::update(sync_targets::table.find(target.id)).set((
        sync_targets::applied.eq(applied),
        sync_targets::attempt.eq(0_i64),
        sync_targets::blocked.eq(false),
        sync_targets::failure_class.eq(None::<String>),
        sync_targets::failure_at.eq(None::<Time>),
        sync_targets::last_synced_at.eq(Some(Time(completion.at))),
        sync_targets::next_check_at.eq(Time(completion.next_check_at)),
        sync_targets::variables.eq(Variables(completion.variables)),
        no_lease!(),
    )))
    .execute(connection)
    .map(drop)
}

fn confirm_removals(connection: &mut SqliteConnection, agent: Id, pushed: Count, at: Time) -> QueryResult<()> {
    let unconfirmed = removals::table
        .filter(removals::agent_id.eq(agent))
        .filter(removals::generation.le(pushed))
        .filter(removals::confirmed_at.is_null());
    Kept(diesel::update(unconfirmed).set(removals::confirmed_at.eq(Some(at)))).execute(connection).map(drop)
}

/// Forgets a retired target, and its agent with everything that was sealed for it if it was a deleted agent's last.
fn forget(connection: &mut SqliteConnection, target: &HeldRow) -> QueryResult<()> {
    diesel::delete(sync_targets::table.find(target.id)).execute(connection)?;
    let others = sync_targets::table.filter(sync_targets::agent_id.eq(target.agent_id)).select(sync_targets::id);
    let deleted = agents::table.filter(agents::id.eq(target.agent_id)).filter(agents::deleted_at.is_not_null());
    let stays: bool = diesel::select(diesel::dsl::exists(others)).get_result(connection)?;
    let gone: bool = diesel::select(diesel::dsl::exists(deleted)).get_result(connection)?;
    if stays || !gone {
        return Ok(());
    }
    diesel::delete(integrations::table.filter(integrations::agent_id.eq(target.agent_id))).execute(connection)?;
    diesel::delete(removals::table.filter(removals::agent_id.eq(target.agent_id))).execute(connection)?;
    diesel::delete(agents::table.find(target.agent_id)).execute(connection).map(drop)
}

pub(super) fn abandon(connection: &mut SqliteConnection, claim: &Claim, line: &AuditLine) -> QueryResult<Held> {
    let Some(target) = held(connection, claim)?.filter(HeldRow::is_retired) else { return Ok(Held::No) };
    forget(connection, &target)?;
    write_line(connection, line)?;
    Ok(Held::Yes)
}

/// One statement for each where the others take two: this is what an idle installation does all day.
pub(super) fn checked(connection: &mut SqliteConnection, agreed: &[Agreed]) -> QueryResult<Vec<Held>> {
    let end = |Agreed { claim, next_check_at }: &Agreed| {
        let ended = (sync_targets::next_check_at.eq(Time(*next_check_at)), no_lease!());
        let changed = Kept(diesel::update(sync_targets::table.filter(of_lease!(claim))).set(ended));
        Ok(if changed.execute(connection)? > 0 { Held::Yes } else { Held::No })
    };
    agreed.iter().map(end).collect()
}

pub(super) fn raise(
    connection: &mut SqliteConnection,
    claim: &Claim,
    current: u64,
    next_attempt_at: Time,
    line: &AuditLine,
) -> QueryResult<Held> {
    let Some(target) = held(connection, claim)? else { return Ok(Held::No) };
    let row = sync_targets::table.find(target.id);
    diesel::update(row).set((sync_targets::next_attempt_at.eq(next_attempt_at), no_lease!())).execute(connection)?;
    if target.is_retired() == (claim.role != Role::Live) {
        let above = target.desired.max(Count(current.saturating_add(1)));
        diesel::update(row).set(sync_targets::desired.eq(above)).execute(connection)?;
        write_line(connection, line)?;
    }
    Ok(Held::Yes)
}

pub(super) fn fail(
    transaction: &mut Transaction<'_>,
    claim: &Claim,
    failure: &Failure,
    pushed: Option<u64>,
) -> QueryResult<Held> {
    let Some(target) = held(transaction.connection, claim)? else { return Ok(Held::No) };
    let changed = pushed.is_some_and(|pushed| target.desired > Count(pushed));
    if changed {
        transaction.tell_due();
    }
    let next = if changed { Some(failure.at) } else { failure.next_attempt_at };
    let row = sync_targets::table.find(target.id);
    diesel::update(row)
        .set((
            sync_targets::blocked.eq(next.is_none()),
            sync_targets::failure_class.eq(Some(failure.class.as_str())),
            sync_targets::failure_at.eq(Some(Time(failure.at))),
            no_lease!(),
        ))
        .execute(transaction.connection)?;
    if let Some(next) = next.map(Time) {
        // A check that failed waits like a push: it would be due again at once.
        diesel::update(row)
            .set((sync_targets::next_attempt_at.eq(next), sync_targets::next_check_at.eq(next)))
            .execute(transaction.connection)?;
    }
    Ok(Held::Yes)
}

pub(super) fn mark_unreadable(
    connection: &mut SqliteConnection,
    id: Id,
    secrets_version: Count,
    line: &AuditLine,
) -> QueryResult<()> {
    let unchanged = integrations::table
        .filter(integrations::id.eq(id))
        .filter(integrations::secrets_version.eq(secrets_version))
        .filter(integrations::readable.eq(true));
    let marked = diesel::update(unchanged).set(integrations::readable.eq(false)).execute(connection)?;
    if marked > 0 { write_line(connection, line) } else { Ok(()) }
}
