//! How a live target's push or check ended, and what else a worker finds out.

use std::collections::HashSet;

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use nora_integrations::ports::{Agreed, Claim, Completion, Failure, Held, Role};
use nora_kernel::audit::AuditLine;
use nora_kernel::{IntegrationId, Timestamp};

use super::claim::{held, of_lease, of_leases};
use super::variables;
use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::rows::{Number, number};
use crate::signals::Topic;
use crate::store::PostgresStore;

const COMPLETE: &str = "\
    WITH completed AS (UPDATE sync_targets SET applied = greatest(applied, $3), attempt = 0, blocked = false, \
    failure_class = NULL, failure_at = NULL, last_synced_at = $4, next_check_at = $5, variables = $6, \
    lease_until = NULL, lease_owner = NULL \
    WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL AND role = 'live' \
    RETURNING agent_id, desired > applied AS behind), \
    confirmed AS (UPDATE removals SET confirmed_at = $4 FROM completed \
    WHERE removals.agent_id = completed.agent_id AND removals.generation <= $3 AND removals.confirmed_at IS NULL) \
    SELECT behind FROM completed";

/// Returns the places of those whose lease was held, counted from one.
const CHECKED: &str = "\
    UPDATE sync_targets AS target SET next_check_at = lease.next_check_at, lease_until = NULL, lease_owner = NULL \
    FROM unnest($1, $2, $3) WITH ORDINALITY AS lease (id, fence, next_check_at, place) \
    WHERE target.id = lease.id AND target.fence = lease.fence AND target.lease_until IS NOT NULL \
    RETURNING lease.place AS value";

const RAISE: &str = concat!(
    "WITH raised AS (UPDATE sync_targets SET \
     desired = CASE WHEN role = $17 THEN greatest(desired, $15 + 1) ELSE desired END, next_attempt_at = $16, \
     lease_until = NULL, lease_owner = NULL \
     WHERE id = $13 AND fence = $14 AND lease_until IS NOT NULL RETURNING role), \
     audited AS (",
    insert_line!(),
    "raised WHERE role = $17) SELECT 1::bigint AS value FROM raised"
);

/// `$6` is what was pushed. What has changed since is due at once; a failed check is tried again like a push.
const FAIL: &str = "\
    UPDATE sync_targets SET failure_class = $3, failure_at = $4, \
    blocked = $5 IS NULL AND coalesce(desired <= $6, true), \
    next_attempt_at = CASE WHEN desired > $6 THEN $4 ELSE coalesce($5, next_attempt_at) END, \
    next_check_at = greatest(next_check_at, $5), lease_until = NULL, lease_owner = NULL \
    WHERE id = $1 AND fence = $2 AND lease_until IS NOT NULL RETURNING coalesce(desired > $6, false) AS behind";

const MARK_UNREADABLE: &str = concat!(
    "WITH marked AS (UPDATE integrations SET readable = false \
     WHERE id = $13 AND secrets_version = $14 AND readable RETURNING id), \
     audited AS (",
    insert_line!(),
    "marked) SELECT 1::bigint AS value FROM marked"
);

#[derive(QueryableByName)]
struct Ended {
    /// Whether there is more to push.
    #[diesel(sql_type = Bool)]
    behind: bool,
}

/// Wakes a worker for what is behind still.
fn ended(store: &PostgresStore, rows: &[Ended]) -> Held {
    let Some(row) = rows.first() else { return Held::No };
    if row.behind {
        store.signals.announce(Topic::Sync);
    }
    Held::Yes
}

pub(super) async fn complete(
    store: &PostgresStore,
    claim: &Claim,
    completion: &Completion,
) -> Result<Held, StoreError> {
    let complete = of_lease(COMPLETE, claim)
        .number(number(completion.generation))
        .number(completion.at.as_microseconds())
        .number(completion.next_check_at.as_microseconds())
        .text(variables::text(&completion.variables)?);
    Ok(ended(store, &store.write(complete).await?))
}

pub(super) async fn checked(store: &PostgresStore, agreed: &[Agreed]) -> Result<Vec<Held>, StoreError> {
    let next_checks = agreed.iter().map(|agreed| agreed.next_check_at.as_microseconds());
    let checked = of_leases(CHECKED, agreed.iter().map(|agreed| &agreed.claim)).numbers(next_checks.collect());
    let ended: HashSet<i64> = store.write::<Number>(checked).await?.iter().map(|row| row.value).collect();
    let held = |(place, _)| if ended.contains(&place) { Held::Yes } else { Held::No };
    Ok((1..).zip(agreed).map(held).collect())
}

pub(super) async fn raise(
    store: &PostgresStore,
    claim: &Claim,
    current: u64,
    next_attempt_at: Timestamp,
    line: &AuditLine,
) -> Result<Held, StoreError> {
    let raise = with_line(RAISE, line)
        .uuid(claim.target.as_uuid())
        .number(claim.fence)
        .number(number(current))
        .number(next_attempt_at.as_microseconds())
        .text(if claim.role == Role::Live { "live" } else { "retired" });
    Ok(held(&store.write::<Number>(raise).await?))
}

pub(super) async fn fail(
    store: &PostgresStore,
    claim: &Claim,
    failure: &Failure,
    pushed: Option<u64>,
) -> Result<Held, StoreError> {
    let fail = of_lease(FAIL, claim)
        .text(failure.class.as_str())
        .number(failure.at.as_microseconds())
        .optional_number(failure.next_attempt_at.map(Timestamp::as_microseconds))
        .optional_number(pushed.map(number));
    Ok(ended(store, &store.write(fail).await?))
}

pub(super) async fn mark_unreadable(
    store: &PostgresStore,
    integration: IntegrationId,
    secrets_version: u64,
    line: &AuditLine,
) -> Result<(), StoreError> {
    let mark = with_line(MARK_UNREADABLE, line).uuid(integration.as_uuid()).number(number(secrets_version));
    store.write::<Number>(mark).await?;
    Ok(())
}
