//! Rows of integrations.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Uuid as UuidType};
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::{AgentId, IntegrationId, Sealed, Timestamp, Workspace};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::{count, names, object, parse};

/// The columns of an [`IntegrationRow`], from `integration`.
macro_rules! integration_columns {
    () => {
        "integration.id, integration.agent_id, integration.provider, integration.label, integration.config, \
         integration.secret_fields, integration.secrets, integration.secrets_version, integration.readable, \
         integration.generation, integration.created_at, integration.updated_at"
    };
}
pub(crate) use integration_columns;

#[derive(QueryableByName)]
pub(crate) struct IntegrationRow {
    #[diesel(sql_type = UuidType)]
    id: Uuid,
    #[diesel(sql_type = UuidType)]
    agent_id: Uuid,
    #[diesel(sql_type = Text)]
    provider: String,
    #[diesel(sql_type = Text)]
    label: String,
    #[diesel(sql_type = Text)]
    config: String,
    #[diesel(sql_type = Text)]
    secret_fields: String,
    #[diesel(sql_type = Nullable<Binary>)]
    secrets: Option<Vec<u8>>,
    #[diesel(sql_type = BigInt)]
    secrets_version: i64,
    #[diesel(sql_type = Bool)]
    readable: bool,
    #[diesel(sql_type = BigInt)]
    generation: i64,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
    #[diesel(sql_type = BigInt)]
    updated_at: i64,
}

impl IntegrationRow {
    pub(crate) fn integration(&self) -> Result<Integration, StoreError> {
        Ok(Integration {
            id: IntegrationId::from_uuid(self.id),
            agent: AgentId::from_uuid(self.agent_id),
            provider: parse("integrations.provider", &self.provider)?,
            label: parse("integrations.label", &self.label)?,
            config: object("integrations.config", &self.config)?,
            secret_fields: names("integrations.secret_fields", &self.secret_fields)?,
            readable: self.readable,
            created_at: Timestamp::from_microseconds(self.created_at),
            updated_at: Timestamp::from_microseconds(self.updated_at),
        })
    }

    pub(crate) fn generation(&self) -> Result<u64, StoreError> {
        count("integrations.generation", self.generation)
    }

    pub(crate) fn stored(self, workspace: Workspace) -> Result<StoredIntegration, StoreError> {
        Ok(StoredIntegration {
            integration: self.integration()?,
            workspace,
            secrets_version: count("integrations.secrets_version", self.secrets_version)?,
            generation: self.generation()?,
            secrets: self.secrets.map(Sealed),
        })
    }
}
