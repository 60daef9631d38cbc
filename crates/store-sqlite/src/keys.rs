//! API keys.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_access::ports::KeyStore;
use nora_access::{ApiKey, KeyName, PublicId, StoredKey};
use nora_kernel::audit::AuditLine;
use nora_kernel::{ApiKeyId, Page, PageRequest, Reach, Timestamp, Unavailable, Workspace};

use crate::SqliteStore;
use crate::audit::write_line;
use crate::failure::Ending;
use crate::page::Behind;
use crate::reach::{Within, within};
use crate::schema::api_keys;
use crate::value::{Hash, Id, Parsed, ScopeList, Time};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, check_for_backend(Sqlite))]
struct KeyRow {
    id: Id,
    public_id: Parsed<PublicId>,
    name: Parsed<KeyName>,
    scopes: ScopeList,
    workspace: Parsed<Workspace>,
    hash: Hash,
    created_at: Time,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
}

impl From<&StoredKey> for KeyRow {
    fn from(StoredKey { key, hash }: &StoredKey) -> Self {
        Self {
            id: key.id.into(),
            public_id: Parsed(key.public_id.clone()),
            name: Parsed(key.name.clone()),
            scopes: ScopeList(key.scopes),
            workspace: Parsed(key.workspace.clone()),
            hash: Hash(*hash),
            created_at: Time(key.created_at),
            expires_at: key.expires_at.map(Time),
            last_used_at: key.last_used_at.map(Time),
        }
    }
}

impl From<KeyRow> for StoredKey {
    fn from(row: KeyRow) -> Self {
        let key = ApiKey {
            id: row.id.into(),
            public_id: row.public_id.0,
            name: row.name.0,
            scopes: row.scopes.0,
            workspace: row.workspace.0,
            created_at: row.created_at.0,
            expires_at: row.expires_at.map(|time| time.0),
            last_used_at: row.last_used_at.map(|time| time.0),
        };
        Self { key, hash: row.hash.0 }
    }
}

fn insert(connection: &mut SqliteConnection, row: &KeyRow, line: &AuditLine) -> QueryResult<()> {
    diesel::insert_into(api_keys::table).values(row).execute(connection)?;
    write_line(connection, line)
}

fn record_usage(connection: &mut SqliteConnection, key: Id, at: Time) -> QueryResult<usize> {
    let older = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(at));
    let used = api_keys::table.filter(api_keys::id.eq(key)).filter(older);
    diesel::update(used).set(api_keys::last_used_at.eq(at)).execute(connection)
}

fn list(connection: &mut SqliteConnection, workspace: &str, page: PageRequest) -> Ending<Page<ApiKey>> {
    let Behind { at, id } = page.after.into();
    let rows: Vec<KeyRow> = api_keys::table
        .filter(api_keys::workspace.eq(workspace))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::created_at.le(at))
        .filter(api_keys::created_at.lt(at).or(api_keys::id.lt(id)))
        .order((api_keys::created_at.desc(), api_keys::id.desc()))
        .limit(i64::from(page.limit.get()) + 1)
        .select(KeyRow::as_select())
        .load(connection)?;
    let keys = rows.into_iter().map(|row| StoredKey::from(row).key).collect();
    Ok(Page::cut(keys, page.limit, ApiKey::cursor))
}

#[async_trait]
impl KeyStore for SqliteStore {
    async fn insert(&self, key: &StoredKey, line: &AuditLine) -> Result<(), Unavailable> {
        let (row, line) = (KeyRow::from(key), line.clone());
        self.write(move |transaction| Ok(insert(transaction.connection, &row, &line)?)).await
    }

    async fn insert_first(&self, key: &StoredKey, line: &AuditLine) -> Result<bool, Unavailable> {
        let (row, line) = (KeyRow::from(key), line.clone());
        self.write(move |transaction| {
            let any = diesel::select(diesel::dsl::exists(api_keys::table.select(api_keys::id)));
            if any.get_result(transaction.connection)? {
                return Ok(false);
            }
            insert(transaction.connection, &row, &line)?;
            Ok(true)
        })
        .await
    }

    async fn find_by_public_id(&self, id: &PublicId) -> Result<Option<StoredKey>, Unavailable> {
        let id = Parsed(id.clone());
        self.read(move |connection| {
            let key = api_keys::table.filter(api_keys::public_id.eq(id)).filter(api_keys::revoked_at.is_null());
            let row: Option<KeyRow> = key.select(KeyRow::as_select()).get_result(connection).optional()?;
            Ok(row.map(StoredKey::from))
        })
        .await
    }

    async fn find(&self, reach: &Reach, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        let (reach, id) = (Within::from(reach), Id::from(id));
        self.read(move |connection| {
            let row: Option<KeyRow> = api_keys::table
                .filter(api_keys::id.eq(id))
                .filter(api_keys::revoked_at.is_null())
                .filter(within!(api_keys::workspace, reach))
                .select(KeyRow::as_select())
                .get_result(connection)
                .optional()?;
            Ok(row.map(|row| StoredKey::from(row).key))
        })
        .await
    }

    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<ApiKey>, Unavailable> {
        let workspace = workspace.clone();
        self.read(move |connection| list(connection, workspace.as_str(), page)).await
    }

    async fn revoke(&self, reach: &Reach, id: ApiKeyId, line: &AuditLine) -> Result<bool, Unavailable> {
        let (reach, line, now) = (Within::from(reach), line.clone(), Time(self.now()));
        self.write(move |transaction| {
            let key = api_keys::table
                .filter(api_keys::id.eq(Id::from(id)))
                .filter(api_keys::revoked_at.is_null())
                .filter(within!(api_keys::workspace, reach));
            let revoked = diesel::update(key).set(api_keys::revoked_at.eq(now)).execute(transaction.connection)?;
            if revoked == 0 {
                return Ok(false);
            }
            write_line(transaction.connection, &line)?;
            transaction.tell_revoked(id);
            Ok(true)
        })
        .await
    }

    async fn record_usage(&self, usage: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable> {
        let usage = usage.to_vec();
        self.write(move |transaction| {
            for (key, at) in usage {
                record_usage(transaction.connection, key.into(), Time(at))?;
            }
            Ok(())
        })
        .await
    }

    async fn revocation(&self) -> Option<ApiKeyId> {
        self.hub.revocation().await
    }
}
