//! What is handed to runtimes, and how it ended.

use std::collections::BTreeSet;

use diesel::prelude::*;
use nora_integrations::ports::{Failure, Held};
use nora_kernel::ProviderId;
use nora_mcp_servers::ports::{Completion, RedeployClaim};

use super::claims::{DONE, PENDING, REPEATED, held};
use crate::schema::{deployments, redeploys, sync_targets};
use crate::targets::{Live, RETIRED};
use crate::value::{Hash, Id, Names, Time};
use crate::writer::Transaction;

fn lives_at(connection: &mut SqliteConnection, agent: Id, target: Id) -> QueryResult<bool> {
    let live = sync_targets::table
        .filter(sync_targets::id.eq(target))
        .filter(sync_targets::agent_id.eq(agent))
        .filter(sync_targets::role.eq(Live));
    diesel::select(diesel::dsl::exists(live)).get_result(connection)
}

pub(super) fn handing(
    connection: &mut SqliteConnection,
    claim: &RedeployClaim,
    target: Id,
    servers: &[ProviderId],
) -> QueryResult<Held> {
    let Some(held) = held(connection, claim)? else { return Ok(Held::No) };
    if !lives_at(connection, held.agent_id, target)? {
        return Ok(Held::No);
    }
    let before: Option<Names<ProviderId>> =
        deployments::table.find(target).select(deployments::servers).get_result(connection).optional()?;
    let before = before.map(|names| names.0).unwrap_or_default();
    let all: BTreeSet<ProviderId> = before.into_iter().chain(servers.iter().cloned()).collect();
    let all = Names(all.into_iter().collect::<Vec<_>>());
    diesel::insert_into(deployments::table)
        .values((deployments::target_id.eq(target), deployments::servers.eq(all.clone())))
        .on_conflict(deployments::target_id)
        .do_update()
        .set(deployments::servers.eq(all))
        .execute(connection)?;
    Ok(Held::Yes)
}

pub(super) fn complete(
    transaction: &mut Transaction<'_>,
    claim: &RedeployClaim,
    completion: Completion,
) -> QueryResult<Held> {
    let Some(held) = held(transaction.connection, claim)? else { return Ok(Held::No) };
    let target = Id::from(completion.target);
    let at = Time(completion.at);
    let lives = lives_at(transaction.connection, held.agent_id, target)?;
    if lives {
        apply(transaction.connection, target, completion)?;
    } else {
        empty_again(transaction, target, at)?;
    }
    let state = match (lives, held.again) {
        (false, _) => PENDING,
        (true, true) => REPEATED,
        (true, false) => DONE,
    };
    if state != DONE {
        transaction.tell_redeploy();
    }
    diesel::update(redeploys::table.find(held.agent_id))
        .set((
            redeploys::state.eq(state),
            redeploys::again.eq(false),
            redeploys::attempt.eq(0_i64),
            redeploys::next_attempt_at.eq(at),
            redeploys::failure_class.eq(None::<String>),
            redeploys::failure_at.eq(None::<Time>),
            redeploys::lease_until.eq(None::<Time>),
            redeploys::lease_owner.eq(None::<Id>),
        ))
        .execute(transaction.connection)?;
    Ok(Held::Yes)
}

fn apply(connection: &mut SqliteConnection, target: Id, completion: Completion) -> QueryResult<()> {
    let applied = (
        deployments::digest.eq(Some(Hash(completion.digest))),
        deployments::applied_at.eq(Some(Time(completion.at))),
        deployments::servers.eq(Names(completion.servers)),
    );
    diesel::insert_into(deployments::table)
        .values((deployments::target_id.eq(target), applied.clone()))
        .on_conflict(deployments::target_id)
        .do_update()
        .set(applied)
        .execute(connection)
        .map(drop)
}

/// What arrived at a target that the agent has left is to be taken away again.
fn empty_again(transaction: &mut Transaction<'_>, target: Id, at: Time) -> QueryResult<()> {
    transaction.tell_due();
    diesel::update(sync_targets::table.filter(sync_targets::id.eq(target)).filter(sync_targets::role.eq(RETIRED)))
        .set((sync_targets::desired.eq(sync_targets::desired + 1_i64), sync_targets::next_attempt_at.eq(at)))
        .execute(transaction.connection)
        .map(drop)
}

pub(super) fn fail(
    transaction: &mut Transaction<'_>,
    claim: &RedeployClaim,
    failure: &Failure,
    target: Option<Id>,
) -> QueryResult<Held> {
    let Some(held) = held(transaction.connection, claim)? else { return Ok(Held::No) };
    let next = if held.again { Some(failure.at) } else { failure.next_attempt_at };
    if held.again {
        transaction.tell_redeploy();
    }
    let row = redeploys::table.find(held.agent_id);
    diesel::update(row)
        .set((
            redeploys::again.eq(false),
            redeploys::blocked.eq(next.is_none()),
            redeploys::failure_class.eq(Some(failure.class.as_str())),
            redeploys::failure_at.eq(Some(Time(failure.at))),
            redeploys::lease_until.eq(None::<Time>),
            redeploys::lease_owner.eq(None::<Id>),
        ))
        .execute(transaction.connection)?;
    if let Some(next) = next {
        diesel::update(row).set(redeploys::next_attempt_at.eq(Time(next))).execute(transaction.connection)?;
    }
    if let Some(target) = target {
        empty_again(transaction, target, Time(failure.at))?;
    }
    Ok(Held::Yes)
}
