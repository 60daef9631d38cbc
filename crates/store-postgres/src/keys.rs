//! API keys.

use std::collections::BTreeMap;

use async_trait::async_trait;
use diesel::pg::Pg;
use diesel::{
    BoolExpressionMethods as _, ExpressionMethods as _, OptionalExtension as _, QueryDsl as _, Queryable, Selectable,
    SelectableHelper as _,
};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _};
use futures_util::FutureExt as _;
use nora_access::ports::KeyStore;
use nora_access::{ApiKey, PublicId, StoredKey};
use nora_kernel::audit::AuditLine;
use nora_kernel::{ApiKeyId, Page, PageRequest, Reach, Scopes, Timestamp, Unavailable, Workspace};
use uuid::Uuid;

use crate::audit::{insert_line, with_line};
use crate::error::StoreError;
use crate::pages::{behind, one_more};
use crate::rows::{Number, any, digest, parse, time, workspace_of};
use crate::schema::api_keys;
use crate::statement::Statement;
use crate::store::PostgresStore;

const INSERT: &str = concat!(
    "WITH added AS (INSERT INTO api_keys (id, public_id, name, scopes, workspace, hash, created_at, expires_at, \
     last_used_at) VALUES ($13, $14, $15, $16, $17, $18, $19, $20, $21) RETURNING id), \
     audited AS (",
    insert_line!(),
    "added) SELECT count(*) AS value FROM added"
);

/// The lock outlives the statement that looks whether there is a key: two servers cannot both find none.
const LOCK_FIRST: &str = "SELECT pg_advisory_xact_lock(7954323466731042)::text AS held";

const INSERT_FIRST: &str = concat!(
    "WITH added AS (INSERT INTO api_keys (id, public_id, name, scopes, workspace, hash, created_at, expires_at, \
     last_used_at) SELECT $13, $14, $15, $16, $17, $18, $19, $20, $21 WHERE NOT EXISTS (SELECT FROM api_keys) \
     RETURNING id), audited AS (",
    insert_line!(),
    "added) SELECT count(*) AS value FROM added"
);

/// Told in the transaction: a server that is told finds the key revoked.
const REVOKE: &str = concat!(
    "WITH revoked AS (UPDATE api_keys SET revoked_at = $2 WHERE id = $13 AND revoked_at IS NULL \
     AND ($14 IS NULL OR workspace = $14) RETURNING id), \
     audited AS (",
    insert_line!(),
    "revoked) SELECT 1::bigint AS value, pg_notify('nora_revoked', id::text) FROM revoked"
);

/// Locked in order, so that two servers that record at once do not lock each other out.
const RECORD_USAGE: &str = "\
    WITH locked AS MATERIALIZED (SELECT id FROM api_keys WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE) \
    UPDATE api_keys SET last_used_at = usage.at FROM locked \
    JOIN unnest($1, $2) AS usage (id, at) ON usage.id = locked.id \
    WHERE api_keys.id = locked.id AND (api_keys.last_used_at IS NULL OR api_keys.last_used_at < usage.at)";

#[derive(Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Pg))]
struct Row {
    id: Uuid,
    public_id: String,
    name: String,
    scopes: String,
    workspace: String,
    hash: Vec<u8>,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl TryFrom<Row> for StoredKey {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let key = ApiKey {
            id: ApiKeyId::from_uuid(row.id),
            public_id: parse("api_keys.public_id", &row.public_id)?,
            name: parse("api_keys.name", &row.name)?,
            scopes: Scopes::from_known(&row.scopes),
            workspace: parse("api_keys.workspace", &row.workspace)?,
            created_at: Timestamp::from_microseconds(row.created_at),
            expires_at: time(row.expires_at),
            last_used_at: time(row.last_used_at),
        };
        Ok(Self { key, hash: digest("api_keys.hash", &row.hash)? })
    }
}

fn with_key(text: &'static str, StoredKey { key, hash }: &StoredKey, line: &AuditLine) -> Statement {
    with_line(text, line)
        .uuid(key.id.as_uuid())
        .text(key.public_id.as_str())
        .text(key.name.as_str())
        .text(key.scopes.to_string())
        .text(key.workspace.as_str())
        .bytes(*hash)
        .number(key.created_at.as_microseconds())
        .optional_number(key.expires_at.map(Timestamp::as_microseconds))
        .optional_number(key.last_used_at.map(Timestamp::as_microseconds))
}

#[async_trait]
impl KeyStore for PostgresStore {
    async fn insert(&self, key: &StoredKey, line: &AuditLine) -> Result<(), Unavailable> {
        self.write::<Number>(with_key(INSERT, key, line)).await?;
        Ok(())
    }

    async fn insert_first(&self, key: &StoredKey, line: &AuditLine) -> Result<bool, Unavailable> {
        let insert = with_key(INSERT_FIRST, key, line);
        let inserted = self.work(move |connection| insert_alone(connection, insert).boxed()).await?;
        Ok(any(&inserted))
    }

    async fn find_by_public_id(&self, id: &PublicId) -> Result<Option<StoredKey>, Unavailable> {
        let query = api_keys::table
            .filter(api_keys::public_id.eq(id.as_str().to_owned()))
            .filter(api_keys::revoked_at.is_null())
            .select(Row::as_select());
        let found =
            self.read(|connection| async move { Ok(query.first(connection).await.optional()?) }.boxed()).await?;
        Ok(found.map(StoredKey::try_from).transpose()?)
    }

    async fn find(&self, reach: &Reach, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        let mut query = api_keys::table
            .filter(api_keys::id.eq(id.as_uuid()))
            .filter(api_keys::revoked_at.is_null())
            .select(Row::as_select())
            .into_boxed();
        if let Some(workspace) = workspace_of(reach) {
            query = query.filter(api_keys::workspace.eq(workspace.to_owned()));
        }
        let found =
            self.read(|connection| async move { Ok(query.first(connection).await.optional()?) }.boxed()).await?;
        Ok(found.map(StoredKey::try_from).transpose()?.map(|stored| stored.key))
    }

    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<ApiKey>, Unavailable> {
        let (at, id) = behind(page.after);
        let query = api_keys::table
            .filter(api_keys::workspace.eq(workspace.as_str().to_owned()))
            .filter(api_keys::revoked_at.is_null())
            .filter(api_keys::created_at.le(at))
            .filter(api_keys::created_at.lt(at).or(api_keys::id.lt(id)))
            .order((api_keys::created_at.desc(), api_keys::id.desc()))
            .limit(one_more(page))
            .select(Row::as_select());
        let rows = self.read(|connection| async move { Ok(query.load(connection).await?) }.boxed()).await?;
        let keys = rows.into_iter().map(|row| StoredKey::try_from(row).map(|stored| stored.key));
        Ok(Page::cut(keys.collect::<Result<_, _>>()?, page.limit, ApiKey::cursor))
    }

    async fn revoke(&self, reach: &Reach, id: ApiKeyId, line: &AuditLine) -> Result<bool, Unavailable> {
        let revoke = with_line(REVOKE, line).uuid(id.as_uuid()).optional_text(workspace_of(reach));
        Ok(any(&self.write::<Number>(revoke).await?))
    }

    async fn record_usage(&self, usage: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable> {
        let mut latest = BTreeMap::new();
        for (key, at) in usage {
            let known = latest.entry(key.as_uuid()).or_insert(*at);
            *known = (*known).max(*at);
        }
        let (keys, times) = latest.into_iter().map(|(key, at)| (key, at.as_microseconds())).unzip();
        let record = Statement::new(RECORD_USAGE).uuids(keys).numbers(times);
        self.execute(record).await?;
        Ok(())
    }

    async fn revocation(&self) -> Option<ApiKeyId> {
        self.signals.revocation().await
    }
}

async fn insert_alone(connection: &mut AsyncPgConnection, insert: Statement) -> Result<Vec<Number>, StoreError> {
    connection
        .transaction(async |connection| {
            Statement::new(LOCK_FIRST).run(connection).await?;
            Ok(insert.load(connection).await?)
        })
        .await
}
