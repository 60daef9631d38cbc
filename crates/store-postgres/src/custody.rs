//! The keyring's check value and the agents' data keys.

use async_trait::async_trait;
use diesel::QueryableByName;
use diesel::sql_types::{Binary, Text, Uuid as UuidType};
use nora_agents::ports::KeyCustody;
use nora_kernel::{AgentId, Unavailable, Workspace, WrappedKey};
use uuid::Uuid;

use crate::rows::{Number, any, parse};
use crate::statement::Statement;
use crate::store::PostgresStore;

const CHECK: &str = "SELECT value FROM meta WHERE key = 'keyring_check'";

/// The update that changes nothing makes the statement return what is there, also what was not there a moment ago.
const SET_CHECK: &str = "INSERT INTO meta (key, value) VALUES ('keyring_check', $1) \
                         ON CONFLICT (key) DO UPDATE SET value = meta.value RETURNING value";

const REPLACE_CHECK: &str = "INSERT INTO meta (key, value) VALUES ('keyring_check', $1) \
                             ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value";

const KEYS: &str = "SELECT id, workspace, data_key FROM agents WHERE id > $1 ORDER BY id LIMIT $2";
const FIRST_KEYS: &str = "SELECT id, workspace, data_key FROM agents ORDER BY id LIMIT $1";

const REPLACE_KEY: &str =
    "UPDATE agents SET data_key = $3 WHERE id = $1 AND data_key = $2 RETURNING 1::bigint AS value";

#[derive(QueryableByName)]
struct Check {
    #[diesel(sql_type = Binary)]
    value: Vec<u8>,
}

#[derive(QueryableByName)]
struct AgentKey {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    workspace: String,
    #[diesel(sql_type = Binary, column_name = data_key)]
    wrapped: Vec<u8>,
}

#[async_trait]
impl KeyCustody for PostgresStore {
    async fn check_value(&self) -> Result<Option<Vec<u8>>, Unavailable> {
        let rows = self.select::<Check>(Statement::new(CHECK)).await?;
        Ok(rows.into_iter().next().map(|row| row.value))
    }

    async fn set_check_value(&self, value: &[u8]) -> Result<Vec<u8>, Unavailable> {
        let rows = self.write::<Check>(Statement::new(SET_CHECK).bytes(value)).await?;
        let kept = rows.into_iter().next().map(|row| row.value);
        kept.ok_or_else(|| Unavailable::fault("no check value was kept"))
    }

    async fn replace_check_value(&self, value: &[u8]) -> Result<(), Unavailable> {
        self.write::<Check>(Statement::new(REPLACE_CHECK).bytes(value)).await?;
        Ok(())
    }

    async fn agent_keys(
        &self,
        after: Option<AgentId>,
        limit: u16,
    ) -> Result<Vec<(AgentId, Workspace, WrappedKey)>, Unavailable> {
        let keys = match after {
            Some(after) => Statement::new(KEYS).uuid(after.as_uuid()),
            None => Statement::new(FIRST_KEYS),
        };
        let rows = self.select::<AgentKey>(keys.number(limit.into())).await?;
        let keys = rows.into_iter().map(|row| {
            let workspace = parse("agents.workspace", &row.workspace)?;
            Ok((AgentId::from_uuid(row.id), workspace, WrappedKey(row.wrapped)))
        });
        keys.collect()
    }

    async fn replace_agent_key(&self, agent: AgentId, old: &WrappedKey, new: &WrappedKey) -> Result<bool, Unavailable> {
        let replace = Statement::new(REPLACE_KEY).uuid(agent.as_uuid()).bytes(old.0.as_slice()).bytes(new.0.as_slice());
        Ok(any(&self.write::<Number>(replace).await?))
    }
}
