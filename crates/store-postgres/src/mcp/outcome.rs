//! What is handed to runtimes, and how it ended.

use std::collections::BTreeSet;

use diesel::QueryableByName;
use diesel::sql_types::Bool;
use nora_integrations::ports::{Failure, Held};
use nora_kernel::{ProviderId, TargetId, Timestamp};
use nora_mcp_servers::ports::{Completion, RedeployClaim};

use super::claim::{held, of_lease};
use crate::error::StoreError;
use crate::rows::{Number, names_text};
use crate::signals::Topic;
use crate::store::PostgresStore;

/// The target is locked, so that it cannot be retired before it is known what it may hold.
const HANDING: &str = "\
    WITH held AS MATERIALIZED (SELECT agent_id FROM redeploys \
    WHERE agent_id = $1 AND fence = $2 AND lease_until IS NOT NULL FOR NO KEY UPDATE), \
    target AS MATERIALIZED (SELECT target.id FROM sync_targets AS target, held \
    WHERE target.id = $3 AND target.agent_id = held.agent_id AND target.role = 'live' FOR NO KEY UPDATE OF target), \
    noted AS (INSERT INTO deployments (target_id, servers) SELECT id, $4 FROM target \
    ON CONFLICT (target_id) DO UPDATE SET servers = (SELECT json_agg(name ORDER BY name)::text FROM \
    (SELECT json_array_elements_text(deployments.servers::json) AS name \
    UNION SELECT json_array_elements_text(excluded.servers::json)) AS all_of_them)) \
    SELECT 1::bigint AS value FROM target";

/// What arrived at a target that the agent has left is to be taken away again.
macro_rules! emptied_again {
    ($held:literal, $target:literal, $at:literal) => {
        concat!(
            "emptied AS (UPDATE sync_targets SET desired = desired + 1, next_attempt_at = ",
            $at,
            " FROM ",
            $held,
            " WHERE sync_targets.id = ",
            $target,
            " AND sync_targets.role = 'retired' RETURNING sync_targets.id)"
        )
    };
}

const COMPLETE: &str = concat!(
    "WITH place AS MATERIALIZED (SELECT id FROM sync_targets WHERE id = $3 AND role = 'live' FOR NO KEY UPDATE), \
     ended AS (UPDATE redeploys SET state = CASE WHEN NOT EXISTS (SELECT FROM place) THEN 'pending' \
     WHEN again THEN 'repeated' ELSE 'done' END, again = false, attempt = 0, next_attempt_at = $5, \
     failure_class = NULL, failure_at = NULL, lease_until = NULL, lease_owner = NULL \
     WHERE agent_id = $1 AND fence = $2 AND lease_until IS NOT NULL RETURNING state <> 'done' AS behind), \
     applied AS (INSERT INTO deployments (target_id, digest, applied_at, servers) \
     SELECT place.id, $4, $5, $6 FROM place, ended \
     ON CONFLICT (target_id) DO UPDATE SET digest = excluded.digest, applied_at = excluded.applied_at, \
     servers = excluded.servers), ",
    emptied_again!("ended", "$3", "$5"),
    " SELECT behind, EXISTS (SELECT FROM emptied) AS emptied FROM ended"
);

const FAIL: &str = concat!(
    "WITH ended AS (UPDATE redeploys SET failure_class = $3, failure_at = $4, blocked = $5 IS NULL AND NOT again, \
     next_attempt_at = CASE WHEN again THEN $4 ELSE coalesce($5, next_attempt_at) END, again = false, \
     lease_until = NULL, lease_owner = NULL \
     FROM (SELECT agent_id, again AS was_again FROM redeploys WHERE agent_id = $1 FOR UPDATE) AS before \
     WHERE redeploys.agent_id = before.agent_id AND fence = $2 AND lease_until IS NOT NULL \
     RETURNING before.was_again AS behind), ",
    emptied_again!("ended", "$6", "$4"),
    " SELECT behind, EXISTS (SELECT FROM emptied) AS emptied FROM ended"
);

#[derive(QueryableByName)]
struct Ended {
    /// Whether there is more to hand over.
    #[diesel(sql_type = Bool)]
    behind: bool,
    /// Whether a target is to be emptied once more.
    #[diesel(sql_type = Bool)]
    emptied: bool,
}

fn ended(store: &PostgresStore, rows: &[Ended]) -> Held {
    let Some(row) = rows.first() else { return Held::No };
    if row.behind {
        store.signals.announce_redeploy();
    }
    if row.emptied {
        store.signals.announce(Topic::Sync);
    }
    Held::Yes
}

pub(super) async fn handing(
    store: &PostgresStore,
    claim: &RedeployClaim,
    target: TargetId,
    servers: &[ProviderId],
) -> Result<Held, StoreError> {
    let servers: BTreeSet<&ProviderId> = servers.iter().collect();
    let servers = names_text(&servers.into_iter().collect::<Vec<_>>());
    let handing = of_lease(HANDING, claim).uuid(target.as_uuid()).text(servers);
    Ok(held(&store.write::<Number>(handing).await?))
}

pub(super) async fn complete(
    store: &PostgresStore,
    claim: &RedeployClaim,
    completion: &Completion,
) -> Result<Held, StoreError> {
    let complete = of_lease(COMPLETE, claim)
        .uuid(completion.target.as_uuid())
        .bytes(completion.digest)
        .number(completion.at.as_microseconds())
        .text(names_text(&completion.servers));
    Ok(ended(store, &store.write(complete).await?))
}

pub(super) async fn fail(
    store: &PostgresStore,
    claim: &RedeployClaim,
    failure: &Failure,
    target: Option<TargetId>,
) -> Result<Held, StoreError> {
    let fail = of_lease(FAIL, claim)
        .text(failure.class.as_str())
        .number(failure.at.as_microseconds())
        .optional_number(failure.next_attempt_at.map(Timestamp::as_microseconds))
        .optional_uuid(target.map(TargetId::as_uuid));
    Ok(ended(store, &store.write(fail).await?))
}
