//! Answers of earlier requests.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_access::ports::IdempotencyStore;
use nora_kernel::{Idempotency, IdempotencyKey, IdempotencyTaken, StoredAnswer, Timestamp, Unavailable};

use crate::SqliteStore;
use crate::failure::{Abort, Ending, corrupt};
use crate::schema::idempotency;
use crate::value::{Hash, Time};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency, check_for_backend(Sqlite))]
struct AnswerRow {
    principal: String,
    route: String,
    key: String,
    body_digest: Hash,
    status: i32,
    location: Option<String>,
    body: String,
    expires_at: Time,
}

impl From<&Idempotency> for AnswerRow {
    fn from(record: &Idempotency) -> Self {
        Self {
            principal: record.principal.clone(),
            route: record.route.clone(),
            key: record.key.as_str().to_owned(),
            body_digest: Hash(record.body_digest),
            status: i32::from(record.answer.status),
            location: record.answer.location.clone(),
            body: record.answer.body.clone(),
            expires_at: Time(record.expires_at),
        }
    }
}

impl AnswerRow {
    fn into_record(self) -> Option<Idempotency> {
        let status = u16::try_from(self.status).ok()?;
        Some(Idempotency {
            principal: self.principal,
            route: self.route,
            key: self.key.parse().ok()?,
            body_digest: self.body_digest.0,
            answer: StoredAnswer { status, location: self.location, body: self.body },
            expires_at: self.expires_at.0,
        })
    }
}

/// Writes the record of a request in the transaction of its work, before anything else, so that a repeated request
/// is told so whatever has become of the work since.
pub(crate) fn remember<E: From<IdempotencyTaken>>(
    connection: &mut SqliteConnection,
    record: &Idempotency,
    now: Timestamp,
) -> Ending<(), E> {
    let row = AnswerRow::from(record);
    let same = idempotency::table.find((&row.principal, &row.route, &row.key));
    diesel::delete(same.filter(idempotency::expires_at.le(Time(now)))).execute(connection)?;
    let inserted = diesel::insert_into(idempotency::table).values(&row).on_conflict_do_nothing().execute(connection)?;
    if inserted == 0 { Err(Abort::Refused(IdempotencyTaken.into())) } else { Ok(()) }
}

const PRUNE: &str = "
    DELETE FROM idempotency WHERE (principal, route, key) IN (
        SELECT principal, route, key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ? + 0
    )
";

#[async_trait]
impl IdempotencyStore for SqliteStore {
    async fn find(
        &self,
        principal: &str,
        route: &str,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Idempotency>, Unavailable> {
        let (principal, route, key) = (principal.to_owned(), route.to_owned(), key.as_str().to_owned());
        self.read(move |connection| {
            let record = idempotency::table.find((principal, route, key));
            let record = record.filter(idempotency::expires_at.gt(Time(now)));
            let row: Option<AnswerRow> = record.select(AnswerRow::as_select()).get_result(connection).optional()?;
            let unreadable = || corrupt("an idempotency record does not parse");
            row.map(|row| row.into_record().ok_or_else(unreadable)).transpose()
        })
        .await
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        self.prune_by(PRUNE, now, limit).await
    }
}
