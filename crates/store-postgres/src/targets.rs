//! Rows of places: an agent's runtime at one address, with what opens it.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Uuid as UuidType};
use nora_agents::{Gateway, Runtime, Target};
use nora_kernel::address::{Endpoint, Scheme};
use nora_kernel::{AgentId, Sealed, TargetId, Workspace, WrappedKey};
use uuid::Uuid;

use crate::error::StoreError;
use crate::rows::{count, endpoint, number, parse};
use crate::statement::Statement;

/// The columns of a [`Place`], from `target` and its `agent`.
macro_rules! place_columns {
    () => {
        "agent.id AS place_agent, agent.workspace AS place_workspace, target.kind AS place_kind, \
         target.url AS place_url, target.gateway_url AS place_gateway, target.device_id AS place_device"
    };
}
pub(crate) use place_columns;

/// The columns of a [`TargetRow`], those of its place included.
macro_rules! target_columns {
    () => {
        concat!(
            crate::targets::place_columns!(),
            ", target.id AS target_id, target.secrets AS target_secrets, \
             target.secrets_version AS target_secrets_version, agent.data_key AS target_key"
        )
    };
}
pub(crate) use target_columns;

#[derive(QueryableByName)]
pub(crate) struct Place {
    #[diesel(sql_type = UuidType, column_name = place_agent)]
    agent: Uuid,
    #[diesel(sql_type = Text, column_name = place_workspace)]
    workspace: String,
    #[diesel(sql_type = Text, column_name = place_kind)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>, column_name = place_url)]
    url: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = place_gateway)]
    gateway: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = place_device)]
    device: Option<String>,
}

#[derive(QueryableByName)]
pub(crate) struct TargetRow {
    #[diesel(embed)]
    place: Place,
    #[diesel(sql_type = UuidType, column_name = target_id)]
    id: Uuid,
    #[diesel(sql_type = Binary, column_name = target_secrets)]
    secrets: Vec<u8>,
    #[diesel(sql_type = BigInt, column_name = target_secrets_version)]
    secrets_version: i64,
    #[diesel(sql_type = Binary, column_name = target_key)]
    key: Vec<u8>,
}

impl Place {
    pub(crate) fn agent(&self) -> AgentId {
        AgentId::from_uuid(self.agent)
    }

    pub(crate) fn workspace(&self) -> Result<Workspace, StoreError> {
        parse("agents.workspace", &self.workspace)
    }

    pub(crate) fn runtime(&self) -> Result<Runtime, StoreError> {
        let url = self.url.as_deref().map(|url| endpoint("sync_targets.url", url, Scheme::Http)).transpose()?;
        Ok(Runtime { kind: parse("sync_targets.kind", &self.kind)?, url })
    }

    pub(crate) fn gateway(&self) -> Result<Option<Gateway>, StoreError> {
        let Some(url) = self.gateway_url()? else { return Ok(None) };
        let device_id = self.device.clone().ok_or(StoreError::Corrupt("sync_targets.device_id"))?;
        Ok(Some(Gateway { url, device_id }))
    }

    fn gateway_url(&self) -> Result<Option<Endpoint>, StoreError> {
        let parse = |url: &String| endpoint("sync_targets.gateway_url", url, Scheme::WebSocket);
        self.gateway.as_ref().map(parse).transpose()
    }
}

impl TargetRow {
    /// The target and its agent's data key.
    pub(crate) fn into_parts(self) -> Result<(Target, WrappedKey), StoreError> {
        let Runtime { kind, url } = self.place.runtime()?;
        let target = Target {
            id: TargetId::from_uuid(self.id),
            agent: self.place.agent(),
            workspace: self.place.workspace()?,
            kind,
            url,
            gateway: self.place.gateway_url()?,
            device_id: self.place.device,
            secrets: Sealed(self.secrets),
            secrets_version: count("sync_targets.secrets_version", self.secrets_version)?,
        };
        Ok((target, WrappedKey(self.key)))
    }
}

/// Eight parameters: id, kind, URL, gateway's URL and origin, device id, secrets and their version.
pub(crate) fn with_target(statement: Statement, target: &Target) -> Statement {
    statement
        .uuid(target.id.as_uuid())
        .text(target.kind.as_str())
        .optional_text(target.url.as_ref().map(ToString::to_string))
        .optional_text(target.gateway.as_ref().map(ToString::to_string))
        .optional_text(target.gateway.as_ref().map(Endpoint::origin))
        .optional_text(target.device_id.as_deref())
        .bytes(target.secrets.0.as_slice())
        .number(number(target.secrets_version))
}
