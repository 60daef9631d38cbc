//! An integration as a row.

use diesel::prelude::*;
use diesel::sqlite::Sqlite;
use nora_integrations::ports::NewIntegration;
use nora_integrations::{Integration, StoredIntegration};
use nora_kernel::{FieldName, Label, ProviderId, Sealed, Workspace};

use crate::schema::integrations;
use crate::value::{Count, Id, Names, Object, Parsed, Time};

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = integrations, check_for_backend(Sqlite))]
pub(crate) struct IntegrationRow {
    id: Id,
    agent_id: Id,
    provider: Parsed<ProviderId>,
    label: Parsed<Label>,
    config: Object,
    secret_fields: Names<FieldName>,
    secrets: Option<Vec<u8>>,
    secrets_version: Count,
    readable: bool,
    generation: Count,
    created_at: Time,
    updated_at: Time,
}

impl IntegrationRow {
    /// The row of an integration whose addition raised the desired generation to `generation`.
    pub(crate) fn new(new: &NewIntegration, generation: Count) -> Self {
        let NewIntegration { integration, secrets, .. } = new.clone();
        Self {
            id: integration.id.into(),
            agent_id: integration.agent.into(),
            provider: Parsed(integration.provider),
            label: Parsed(integration.label),
            config: Object(integration.config),
            secret_fields: Names(integration.secret_fields),
            secrets: secrets.map(|sealed| sealed.0),
            secrets_version: Count(1),
            readable: integration.readable,
            generation,
            created_at: Time(integration.created_at),
            updated_at: Time(integration.updated_at),
        }
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.0
    }

    pub(crate) fn into_stored(mut self, workspace: &Workspace) -> StoredIntegration {
        let secrets = self.secrets.take().map(Sealed);
        let (secrets_version, generation) = (self.secrets_version.0, self.generation.0);
        let workspace = workspace.clone();
        StoredIntegration { integration: self.into(), workspace, secrets, secrets_version, generation }
    }
}

impl From<IntegrationRow> for Integration {
    fn from(row: IntegrationRow) -> Self {
        Self {
            id: row.id.into(),
            agent: row.agent_id.into(),
            provider: row.provider.0,
            label: row.label.0,
            config: row.config.0,
            secret_fields: row.secret_fields.0,
            readable: row.readable,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}
