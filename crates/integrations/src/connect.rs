//! Connecting an agent to a provider.

use std::sync::Arc;

use nora_catalog::{Catalog, Entry, Parsed, Violation};
use nora_kernel::audit::Action;
use nora_kernel::{
    AgentId, BoxError, Caller, IdempotencyTaken, IdempotentRequest, IntegrationId, Label, ProviderId, SealContext,
    SealError, Sealed, Secret, SecretMap, StoredAnswer, Unavailable, WrappedKey,
};
use nora_provider_sdk::manifest::AuthType;
use serde_json::{Map, Value};

use crate::integration::{INTEGRATION_COLUMN, INTEGRATION_TABLE};
use crate::ports::{InsertError, NewIntegration};
use crate::secrets::encode;
use crate::{Connections, Integration};

/// What a repeated request is answered with.
pub type AnswerIntegration = fn(&Integration, &Catalog) -> StoredAnswer;

/// A request to connect.
#[derive(Debug)]
pub struct Connect {
    /// The agent.
    pub agent: AgentId,
    /// The provider's id, as the request spells it.
    pub provider: Option<String>,
    /// The provider's first credential.
    pub token: Option<Secret>,
    /// Everything else, secrets included.
    pub config: Map<String, Value>,
    /// What tells this connection from others to the same provider.
    pub label: Label,
    /// The retry protection of the request and what to answer when it is repeated.
    pub idempotency: Option<(IdempotentRequest, AnswerIntegration)>,
}

/// Why an agent was not connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no such agent for this caller.
    #[error("there is no such agent")]
    AgentNotFound,
    /// The request names no provider.
    #[error("provider is required")]
    ProviderMissing,
    /// The catalog has no such provider.
    #[error("the catalog has no such provider")]
    ProviderUnknown,
    /// The provider is not enabled in this installation.
    #[error("the provider is not enabled in this installation")]
    ProviderDisabled,
    /// The provider needs a token.
    #[error("token is required for this provider")]
    TokenMissing,
    /// Something in the request is wrong.
    #[error("the configuration is not valid for this provider")]
    Invalid(Vec<Violation>),
    /// The agent has this provider under this label already.
    #[error("the agent has this provider under this label already; PATCH replaces its credentials")]
    Exists(IntegrationId),
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(IdempotencyTaken),
    /// The secrets could not be sealed.
    #[error("the secrets could not be sealed")]
    Seal(#[from] SealError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<InsertError> for ConnectError {
    fn from(error: InsertError) -> Self {
        match error {
            InsertError::AgentNotFound => Self::AgentNotFound,
            InsertError::Exists(id) => Self::Exists(id),
            InsertError::IdempotencyTaken(taken) => Self::IdempotencyTaken(taken),
            InsertError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl Connections {
    /// Checks a request against the catalog, seals its secrets and stores the integration.
    ///
    /// Nothing is sealed for a request the catalog refuses. The store marks the agent for a push in the transaction
    /// of the insert, so a crash after this call cannot lose it.
    pub async fn connect(&self, caller: &Caller, request: Connect) -> Result<Integration, ConnectError> {
        let Connect { agent, provider, token, config, label, idempotency } = request;
        let found = self.store.agent_key(&caller.reach(), agent).await?;
        let (workspace, key) = found.ok_or(ConnectError::AgentNotFound)?;
        let entry = self.provider(provider.as_deref())?;
        let Parsed { config, secrets } = parse(entry, token, config)?;

        let now = self.clock.now();
        let integration = Integration {
            id: IntegrationId::from_uuid(self.ids.next()),
            agent,
            provider: entry.manifest().id().clone(),
            label,
            config,
            secret_fields: secrets.fields().cloned().collect(),
            readable: true,
            created_at: now,
            updated_at: now,
        };
        let context = SealContext {
            table: INTEGRATION_TABLE,
            column: INTEGRATION_COLUMN,
            workspace: workspace.clone(),
            agent,
            row: integration.id.as_uuid(),
            version: 1,
        };
        let secrets = self.seal(&key, &context, &secrets).await?;
        let line = self.lines().change(caller, &workspace, Action::IntegrationCreated, agent, integration.id);
        let answered = idempotency.map(|(request, answer)| request.answered(answer(&integration, &self.catalog), now));
        let new = NewIntegration { integration, workspace, secrets };
        self.store.insert(&new, &line, answered.as_ref()).await?;
        Ok(new.integration)
    }

    pub(crate) fn provider(&self, id: Option<&str>) -> Result<&Arc<Entry>, ConnectError> {
        let id = id.filter(|id| !id.is_empty()).ok_or(ConnectError::ProviderMissing)?;
        let id: ProviderId = id.parse().map_err(|_| ConnectError::ProviderUnknown)?;
        let entry = self.catalog.entry(id.as_str()).ok_or(ConnectError::ProviderUnknown)?;
        if entry.is_enabled() { Ok(entry) } else { Err(ConnectError::ProviderDisabled) }
    }

    /// Seals a map of secrets; an empty one is not kept at all.
    pub(crate) async fn seal(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        secrets: &SecretMap,
    ) -> Result<Option<Sealed>, SealError> {
        if secrets.is_empty() {
            return Ok(None);
        }
        let too_long = || SealError::Unavailable(BoxError::from("a secret is longer than 4 GiB"));
        let plaintext = encode(secrets).ok_or_else(too_long)?;
        self.vault.seal(key, context, &plaintext).await.map(Some)
    }
}

/// Parses a whole connection. A missing token has an error of its own where the contract names one.
pub(crate) fn parse(entry: &Entry, token: Option<Secret>, config: Map<String, Value>) -> Result<Parsed, ConnectError> {
    let manifest = entry.manifest();
    let missing = token.as_ref().is_none_or(Secret::is_empty) && manifest.token().is_some_and(|field| field.required);
    if missing && matches!(manifest.auth_type(), AuthType::Token | AuthType::Apikey) {
        return Err(ConnectError::TokenMissing);
    }
    entry.parse(token, config, &[]).map_err(ConnectError::Invalid)
}
