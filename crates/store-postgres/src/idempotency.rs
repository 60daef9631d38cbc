//! Answers of earlier requests. They are written by the statements of the work.

use async_trait::async_trait;
use diesel::pg::Pg;
use diesel::{
    ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, Selectable, SelectableHelper as _,
};
use diesel_async::RunQueryDsl as _;
use futures_util::FutureExt as _;
use nora_access::ports::IdempotencyStore;
use nora_kernel::{Idempotency, IdempotencyKey, StoredAnswer, Timestamp, Unavailable};

use crate::error::StoreError;
use crate::rows::{digest, parse};
use crate::schema::idempotency;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// The unique constraint of a remembered answer.
pub(crate) const UNIQUE: &str = "idempotency_pkey";

/// Remembers an answer, if there is one, in the place of one that has expired: `$13` to `$20` of every statement that
/// goes on with [`with_answer`]. With the name of another part, only if that part found a row. A live record with the
/// same key breaks [`UNIQUE`].
macro_rules! remember {
    () => {
        crate::idempotency::remember!(@ "WHERE $13 IS NOT NULL")
    };
    ($part:literal) => {
        crate::idempotency::remember!(@ concat!("WHERE $13 IS NOT NULL AND EXISTS (SELECT FROM ", $part, ")"))
    };
    (@ $condition:expr) => {
        concat!(
            "expired AS (DELETE FROM idempotency WHERE principal = $13 AND route = $14 AND key = $15 \
             AND expires_at <= $2 RETURNING key), \
             remembered AS (INSERT INTO idempotency (principal, route, key, body_digest, status, location, body, \
             expires_at) SELECT $13, $14, $15, $16, $17, $18, $19, $20 FROM (SELECT count(*) FROM expired) AS cleared ",
            $condition,
            " RETURNING key), "
        )
    };
}
pub(crate) use remember;

/// A statement whose thirteenth to twentieth parameters are an answer, or nothing.
pub(crate) fn with_answer(statement: Statement, answer: Option<&Idempotency>) -> Result<Statement, StoreError> {
    let status = answer.map(|record| i16::try_from(record.answer.status));
    let status = status.transpose().map_err(|_| StoreError::Corrupt("idempotency.status"))?;
    Ok(statement
        .optional_text(answer.map(|record| record.principal.as_str()))
        .optional_text(answer.map(|record| record.route.as_str()))
        .optional_text(answer.map(|record| record.key.as_str()))
        .optional_bytes(answer.map(|record| record.body_digest.to_vec()))
        .optional_small_number(status)
        .optional_text(answer.and_then(|record| record.answer.location.as_deref()))
        .optional_text(answer.map(|record| record.answer.body.as_str()))
        .optional_number(answer.map(|record| record.expires_at.as_microseconds())))
}

/// In small batches, and around what somebody else works on.
const PRUNE: &str = "DELETE FROM idempotency WHERE ctid = ANY (ARRAY(SELECT ctid FROM idempotency \
                     WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))";

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency, check_for_backend(Pg))]
struct Row {
    principal: String,
    route: String,
    key: String,
    body_digest: Vec<u8>,
    status: i16,
    location: Option<String>,
    body: String,
    expires_at: i64,
}

impl TryFrom<Row> for Idempotency {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let status = row.status.try_into().map_err(|_| StoreError::Corrupt("idempotency.status"))?;
        Ok(Self {
            principal: row.principal,
            route: row.route,
            key: parse("idempotency.key", &row.key)?,
            body_digest: digest("idempotency.body_digest", &row.body_digest)?,
            answer: StoredAnswer { status, location: row.location, body: row.body },
            expires_at: Timestamp::from_microseconds(row.expires_at),
        })
    }
}

#[async_trait]
impl IdempotencyStore for PostgresStore {
    async fn find(
        &self,
        principal: &str,
        route: &str,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Idempotency>, Unavailable> {
        let query = idempotency::table
            .filter(idempotency::principal.eq(principal.to_owned()))
            .filter(idempotency::route.eq(route.to_owned()))
            .filter(idempotency::key.eq(key.as_str().to_owned()))
            .filter(idempotency::expires_at.gt(now.as_microseconds()))
            .select(Row::as_select());
        let found =
            self.read(|connection| async move { Ok(query.first(connection).await.optional()?) }.boxed()).await?;
        Ok(found.map(Idempotency::try_from).transpose()?)
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        let prune = Statement::new(PRUNE).number(now.as_microseconds()).number(limit.into());
        Ok(self.execute(prune).await?.try_into().unwrap_or(u64::MAX))
    }
}
