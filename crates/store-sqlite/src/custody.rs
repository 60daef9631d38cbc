//! The check value of the keyring, and agents' keys.

use async_trait::async_trait;
use diesel::prelude::*;
use nora_agents::ports::KeyCustody;
use nora_kernel::{AgentId, Unavailable, Workspace, WrappedKey};

use crate::SqliteStore;
use crate::schema::{agents, meta};
use crate::value::{Id, Parsed};

const CHECK_VALUE: &str = "keyring_check";

fn check_value(connection: &mut SqliteConnection) -> QueryResult<Option<Vec<u8>>> {
    meta::table.find(CHECK_VALUE).select(meta::value).get_result(connection).optional()
}

#[async_trait]
impl KeyCustody for SqliteStore {
    async fn check_value(&self) -> Result<Option<Vec<u8>>, Unavailable> {
        self.read(|connection| Ok(check_value(connection)?)).await
    }

    async fn set_check_value(&self, value: &[u8]) -> Result<Vec<u8>, Unavailable> {
        let value = value.to_vec();
        self.write(move |transaction| {
            if let Some(present) = check_value(transaction.connection)? {
                return Ok(present);
            }
            let row = (meta::key.eq(CHECK_VALUE), meta::value.eq(&value));
            diesel::insert_into(meta::table).values(row).execute(transaction.connection)?;
            Ok(value)
        })
        .await
    }

    async fn replace_check_value(&self, value: &[u8]) -> Result<(), Unavailable> {
        let value = value.to_vec();
        self.write(move |transaction| {
            let row = (meta::key.eq(CHECK_VALUE), meta::value.eq(value));
            diesel::replace_into(meta::table).values(row).execute(transaction.connection)?;
            Ok(())
        })
        .await
    }

    async fn agent_keys(
        &self,
        after: Option<AgentId>,
        limit: u16,
    ) -> Result<Vec<(AgentId, Workspace, WrappedKey)>, Unavailable> {
        self.read(move |connection| {
            let keys = agents::table.select((agents::id, agents::workspace, agents::data_key));
            let keys = keys.order(agents::id.asc()).limit(i64::from(limit));
            // Every id lies behind no bytes at all.
            let after = after.map_or_else(Vec::new, |after| after.as_uuid().as_bytes().to_vec());
            let rows: Vec<(Id, Parsed<Workspace>, Vec<u8>)> = keys.filter(agents::id.gt(after)).load(connection)?;
            Ok(rows.into_iter().map(|(id, workspace, key)| (id.into(), workspace.0, WrappedKey(key))).collect())
        })
        .await
    }

    async fn replace_agent_key(&self, agent: AgentId, old: &WrappedKey, new: &WrappedKey) -> Result<bool, Unavailable> {
        let (agent, old, new) = (Id::from(agent), old.0.clone(), new.0.clone());
        self.write(move |transaction| {
            let unchanged = agents::table.filter(agents::id.eq(agent)).filter(agents::data_key.eq(old));
            let replaced = diesel::update(unchanged).set(agents::data_key.eq(new)).execute(transaction.connection)?;
            Ok(replaced > 0)
        })
        .await
    }
}
