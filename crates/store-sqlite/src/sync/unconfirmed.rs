//! What runtimes have not confirmed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::Sqlite;
use nora_agents::RuntimeKind;
use nora_integrations::ports::{Awaited, FailureClass, Unconfirmed};

use crate::failure::{Ending, corrupt};
use crate::statement::Statement;
use crate::value::{Count, Parsed, Time};

const UNCONFIRMED: &str = "
    WITH waiting AS (
        SELECT 0 AS purge, kind, failure_class, coalesce(
            (SELECT min(at) FROM (
                SELECT updated_at AS at FROM integrations
                WHERE agent_id = target.agent_id AND generation > target.applied
                UNION ALL
                SELECT removed_at FROM removals
                WHERE agent_id = target.agent_id AND generation > target.applied
            )),
            last_synced_at, created_at
        ) AS since
        FROM sync_targets AS target WHERE role = 'live' AND desired > applied
        UNION ALL
        SELECT 1, target.kind, target.failure_class, removals.removed_at
        FROM removals
        JOIN sync_targets AS target ON target.agent_id = removals.agent_id AND target.role = 'live'
        WHERE removals.confirmed_at IS NULL
        UNION ALL
        SELECT 1, kind, failure_class, coalesce(retired_at, created_at)
        FROM sync_targets WHERE role = 'retired'
    )
    SELECT purge, kind, failure_class, count(*) AS count, min(since) AS oldest
    FROM waiting GROUP BY purge, kind, failure_class ORDER BY purge, kind, failure_class
";

#[derive(QueryableByName)]
#[diesel(check_for_backend(Sqlite))]
struct Row {
    #[diesel(sql_type = Bool)]
    purge: bool,
    #[diesel(sql_type = Text)]
    kind: Parsed<RuntimeKind>,
    #[diesel(sql_type = Nullable<Text>)]
    failure_class: Option<String>,
    #[diesel(sql_type = BigInt)]
    count: Count,
    #[diesel(sql_type = BigInt)]
    oldest: Time,
}

impl Row {
    fn unconfirmed(self) -> Ending<Unconfirmed> {
        let known =
            |class: String| FailureClass::from_wire(&class).ok_or_else(|| corrupt("a failure of no known class"));
        Ok(Unconfirmed {
            awaited: if self.purge { Awaited::Purge } else { Awaited::Sync },
            kind: self.kind.0,
            reason: self.failure_class.map(known).transpose()?,
            count: self.count.0,
            oldest: self.oldest.0,
        })
    }
}

pub(super) fn unconfirmed(connection: &mut SqliteConnection) -> Ending<Vec<Unconfirmed>> {
    let rows: Vec<Row> = Statement::new(UNCONFIRMED).load(connection)?;
    rows.into_iter().map(Row::unconfirmed).collect()
}
