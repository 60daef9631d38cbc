//! Push targets, as agents and their syncs share them.

use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;
use nora_agents::{RuntimeKind, Target};
use nora_kernel::address::{Endpoint, Scheme};
use nora_kernel::{Sealed, Timestamp, Workspace};

use crate::schema::sync_targets;
use crate::statement::Kept;
use crate::value::{Count, Id, Parsed, Time};
use crate::writer::Transaction;

/// The role of the place an agent lives.
pub(crate) const LIVE: &str = "live";
/// The role of a place an agent has left.
pub(crate) const RETIRED: &str = "retired";
/// The one gateway of one live target.
pub(crate) const GATEWAY: &str = "sync_targets.gateway_origin";

/// [`LIVE`] as a statement's own text: the index of live targets serves no parameter for long (see
/// [`Statement`](crate::statement::Statement)).
#[derive(Debug, Clone, Copy, QueryId)]
pub(crate) struct Live;

impl Expression for Live {
    type SqlType = Text;
}

impl QueryFragment<Sqlite> for Live {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        pass.push_sql("'live'");
        Ok(())
    }
}

impl<From> SelectableExpression<From> for Live {}

impl<From> AppearsOnTable<From> for Live {}

impl<GroupBy> ValidGrouping<GroupBy> for Live {
    type IsAggregate = is_aggregate::Never;
}

/// A target without the state of its sync.
#[derive(Queryable, Selectable)]
#[diesel(table_name = sync_targets, check_for_backend(Sqlite))]
pub(crate) struct TargetRow {
    id: Id,
    agent_id: Id,
    kind: Parsed<RuntimeKind>,
    url: Option<String>,
    gateway_url: Option<String>,
    device_id: Option<String>,
    secrets: Vec<u8>,
    secrets_version: Count,
}

impl TargetRow {
    /// The target; `None` if an address in it does not parse.
    pub(crate) fn into_target(self, workspace: Workspace) -> Option<Target> {
        let endpoint = |url: Option<String>, scheme| url.map(|url| Endpoint::parse(&url, scheme)).transpose().ok();
        Some(Target {
            id: self.id.into(),
            agent: self.agent_id.into(),
            workspace,
            kind: self.kind.0,
            url: endpoint(self.url, Scheme::Http)?,
            gateway: endpoint(self.gateway_url, Scheme::WebSocket)?,
            device_id: self.device_id,
            secrets: Sealed(self.secrets),
            secrets_version: self.secrets_version.0,
        })
    }
}

/// Adds an agent's live target, due at once.
pub(crate) fn insert_live(
    transaction: &mut Transaction<'_>,
    target: &Target,
    desired: Count,
    now: Timestamp,
) -> QueryResult<()> {
    let place = (
        sync_targets::id.eq(Id::from(target.id)),
        sync_targets::agent_id.eq(Id::from(target.agent)),
        sync_targets::role.eq(Live),
        sync_targets::kind.eq(Parsed(target.kind)),
        sync_targets::url.eq(target.url.as_ref().map(ToString::to_string)),
        sync_targets::gateway_url.eq(target.gateway.as_ref().map(ToString::to_string)),
        sync_targets::gateway_origin.eq(target.gateway.as_ref().map(Endpoint::origin)),
        sync_targets::device_id.eq(target.device_id.as_deref()),
        sync_targets::secrets.eq(target.secrets.0.as_slice()),
        sync_targets::secrets_version.eq(Count(target.secrets_version)),
    );
    let sync = (
        sync_targets::desired.eq(desired),
        sync_targets::applied.eq(0_i64),
        sync_targets::attempt.eq(0_i64),
        sync_targets::blocked.eq(false),
        sync_targets::next_attempt_at.eq(Time(now)),
        sync_targets::next_check_at.eq(Time(now)),
        sync_targets::fence.eq(0_i64),
        sync_targets::variables.eq("[]"),
        sync_targets::created_at.eq(Time(now)),
    );
    transaction.tell_due();
    diesel::insert_into(sync_targets::table).values((place, sync)).execute(transaction.connection).map(drop)
}

/// Where what is owned in a runtime lies: its kind, and the origin of its gateway or else its URL.
type OwnedPlace = (Parsed<RuntimeKind>, Option<String>, Option<String>);

/// Hands what the target `from` owns to the live target of its agent, if that is of the same kind and at the same
/// gateway, or at the same URL where there is no gateway.
pub(crate) fn inherit_owned(transaction: &mut Transaction<'_>, from: Id, to: Id) -> QueryResult<()> {
    let place = (sync_targets::kind, sync_targets::gateway_origin, sync_targets::url);
    let old: OwnedPlace = sync_targets::table.find(from).select(place).get_result(transaction.connection)?;
    let new: OwnedPlace = sync_targets::table.find(to).select(place).get_result(transaction.connection)?;
    let somewhere = |(kind, gateway, url): OwnedPlace| (kind, gateway.or(url));
    if somewhere(old) != somewhere(new) {
        return Ok(());
    }
    let owned: String =
        sync_targets::table.find(from).select(sync_targets::owned).get_result(transaction.connection)?;
    diesel::update(sync_targets::table.find(from)).set(sync_targets::owned.eq("[]")).execute(transaction.connection)?;
    diesel::update(sync_targets::table.find(to)).set(sync_targets::owned.eq(owned)).execute(transaction.connection)?;
    Ok(())
}

/// Raises the desired generation of an agent's live target by one and makes it due at once, unless it is in a
/// permanent failure. Returns the new generation; `None` if the agent is absent or deleted.
pub(crate) fn raise(transaction: &mut Transaction<'_>, agent: Id, now: Timestamp) -> QueryResult<Option<Count>> {
    transaction.tell_due();
    let live = sync_targets::table.filter(sync_targets::agent_id.eq(agent)).filter(sync_targets::role.eq(Live));
    Kept(
        diesel::update(live)
            .set((sync_targets::desired.eq(sync_targets::desired + 1_i64), sync_targets::next_attempt_at.eq(Time(now))))
            .returning(sync_targets::desired),
    )
    .get_result(transaction.connection)
    .optional()
}

/// Forgets the failures of an agent's live target, so that it is due again if it is behind.
pub(crate) fn unblock(transaction: &mut Transaction<'_>, agent: Id) -> QueryResult<()> {
    let live = sync_targets::table.filter(sync_targets::agent_id.eq(agent)).filter(sync_targets::role.eq(Live));
    diesel::update(live)
        .set((sync_targets::blocked.eq(false), sync_targets::attempt.eq(0_i64)))
        .execute(transaction.connection)
        .map(drop)
}

/// Retires an agent's live target: it is to be emptied with a generation above all it was pushed before, at once, and
/// asked until `purge_until`. Returns the target and that generation. A push under way keeps its lease.
pub(crate) fn retire(
    transaction: &mut Transaction<'_>,
    agent: Id,
    now: Timestamp,
    purge_until: Timestamp,
) -> QueryResult<(Id, Count)> {
    transaction.tell_due();
    let live = sync_targets::table.filter(sync_targets::agent_id.eq(agent)).filter(sync_targets::role.eq(Live));
    diesel::update(live)
        .set((
            sync_targets::role.eq(RETIRED),
            sync_targets::purge_until.eq(Time(purge_until)),
            sync_targets::retired_at.eq(Time(now)),
            sync_targets::desired.eq(sync_targets::desired + 1_i64),
            sync_targets::next_attempt_at.eq(Time(now)),
            sync_targets::blocked.eq(false),
            sync_targets::attempt.eq(0_i64),
        ))
        .returning((sync_targets::id, sync_targets::desired))
        .get_result(transaction.connection)
}
