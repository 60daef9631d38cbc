//! Registering an agent.

use nora_kernel::address::Endpoint;
use nora_kernel::audit::Action;
use nora_kernel::{
    AgentId, BoxError, Caller, IdempotencyTaken, IdempotentRequest, SealError, Secret, StoredAnswer, TargetId,
    Unavailable, Workspace, WorkspaceForbidden, WrappedKey,
};

use crate::ports::{DeviceKey, InsertAgentError, StoredAgent};
use crate::target::context;
use crate::{AddressProblem, Agent, AgentName, Agents, Gateway, Place, Runtime, RuntimeKind, RuntimeSecrets, Target};

/// Where a runtime is, as a request says it.
#[derive(Debug)]
pub struct RuntimeInput {
    /// How it is spoken to.
    pub kind: RuntimeKind,
    /// Where it listens.
    pub url: Option<String>,
    /// Its bearer token.
    pub token: Option<Secret>,
}

/// Where a gateway is, as a request says it.
#[derive(Debug)]
pub struct GatewayInput {
    /// Where it listens.
    pub url: String,
    /// Its shared secret.
    pub token: Secret,
    /// The seed of the device key to sign with; a new key is made if `None`.
    pub device_key: Option<Secret>,
}

/// What a repeated request is answered with.
pub type AnswerAgent = fn(&Agent) -> StoredAnswer;

/// A request to register an agent.
#[derive(Debug)]
pub struct CreateAgent {
    /// The platform's own id for it; a new one is made if `None`.
    pub id: Option<AgentId>,
    /// What a person calls it.
    pub name: AgentName,
    /// Where it lives.
    pub runtime: RuntimeInput,
    /// Its gateway, if it has one.
    pub gateway: Option<GatewayInput>,
    /// Whose it is; the caller's workspace if `None`.
    pub workspace: Option<Workspace>,
    /// The retry protection of the request and what to answer when it is repeated.
    pub idempotency: Option<(IdempotentRequest, AnswerAgent)>,
}

/// Why no agent was registered.
#[derive(Debug, thiserror::Error)]
pub enum CreateAgentError {
    /// An address was refused.
    #[error(transparent)]
    Address(#[from] AddressProblem),
    /// A runtime of this kind needs a URL.
    #[error("runtime.url is required for this kind of runtime")]
    UrlMissing,
    /// A runtime of this kind needs a token.
    #[error("runtime.token is required for this kind of runtime")]
    TokenMissing,
    /// An `openclaw` runtime needs a gateway.
    #[error("gateway is required for an openclaw runtime")]
    GatewayMissing,
    /// The device key is no seed.
    #[error("gateway.device_key must be 64 hexadecimal digits")]
    DeviceKeyInvalid,
    /// A token cannot travel in a header.
    #[error("a token must be 1 to 16384 printable ASCII characters")]
    TokenInvalid(&'static str),
    /// Another workspace was named.
    #[error(transparent)]
    Workspace(#[from] WorkspaceForbidden),
    /// The id is taken.
    #[error("an agent with this id exists")]
    AgentExists,
    /// The gateway belongs to another agent.
    #[error("another agent uses this gateway")]
    GatewayTaken,
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(IdempotencyTaken),
    /// The tokens could not be sealed.
    #[error("the runtime's credentials could not be sealed")]
    Seal(#[from] SealError),
    /// No device key could be made.
    #[error("no device key could be made")]
    DeviceKey(#[source] BoxError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<InsertAgentError> for CreateAgentError {
    fn from(error: InsertAgentError) -> Self {
        match error {
            InsertAgentError::AgentExists => Self::AgentExists,
            InsertAgentError::GatewayTaken => Self::GatewayTaken,
            InsertAgentError::IdempotencyTaken(taken) => Self::IdempotencyTaken(taken),
            InsertAgentError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

/// Addresses and secrets of a place that may be pushed to, all checked.
pub(crate) struct CheckedPlace {
    pub(crate) runtime: Runtime,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) secrets: RuntimeSecrets,
}

impl Agents {
    /// Registers an agent. Its runtime is pushed the empty set at once, so that its state is known from the start.
    pub async fn create(&self, caller: &Caller, request: CreateAgent) -> Result<Agent, CreateAgentError> {
        let CreateAgent { id, name, runtime, gateway, workspace, idempotency } = request;
        let workspace = caller.workspace_for(workspace)?;
        let place = self.check_place(runtime, gateway)?;
        let id = id.unwrap_or_else(|| AgentId::from_uuid(self.ids.next()));
        let key = self.vault.new_agent_key(&workspace, id).await?;
        let (target, place) = self.seal_place(&workspace, id, &key, place).await?;
        let now = self.clock.now();
        let agent = Agent {
            id,
            workspace,
            name,
            runtime: place.runtime,
            gateway: place.gateway,
            created_at: now,
            updated_at: now,
        };
        let line = self.line(caller, &agent.workspace, Action::AgentCreated, id);
        let answered = idempotency.map(|(request, answer)| request.answered(answer(&agent), now));
        let stored = StoredAgent { agent, key, target, revision: 1 };
        self.store.insert(&stored, &line, answered.as_ref()).await?;
        Ok(stored.agent)
    }

    /// Checks what a request says about a place.
    pub(crate) fn check_place(
        &self,
        runtime: RuntimeInput,
        gateway: Option<GatewayInput>,
    ) -> Result<CheckedPlace, CreateAgentError> {
        let RuntimeInput { kind, url, token } = runtime;
        let url = url.map(|url| self.rules.check(Place::Runtime, &url)).transpose()?;
        check_presence(kind, url.as_ref(), token.as_ref(), gateway.is_some())?;
        check_token(token.as_ref(), "/runtime/token")?;
        let mut secrets = RuntimeSecrets { token, ..RuntimeSecrets::default() };
        let gateway = gateway.map(|gateway| self.check_gateway(gateway, &mut secrets)).transpose()?;
        Ok(CheckedPlace { runtime: Runtime { kind, url }, gateway, secrets })
    }

    pub(crate) fn check_gateway(
        &self,
        gateway: GatewayInput,
        secrets: &mut RuntimeSecrets,
    ) -> Result<Gateway, CreateAgentError> {
        let GatewayInput { url, token, device_key } = gateway;
        let url = self.rules.check(Place::Gateway, &url)?;
        check_token(Some(&token), "/gateway/token")?;
        let DeviceKey { seed, public } = match device_key {
            Some(seed) => self.device_keys.read(&seed).ok_or(CreateAgentError::DeviceKeyInvalid)?,
            None => self.device_keys.generate().map_err(CreateAgentError::DeviceKey)?,
        };
        secrets.gateway_token = Some(token);
        secrets.device_key = Some(seed);
        Ok(Gateway { url, device_id: public.device_id })
    }

    /// Seals a place's secrets for a new target.
    pub(crate) async fn seal_place(
        &self,
        workspace: &Workspace,
        agent: AgentId,
        key: &WrappedKey,
        place: CheckedPlace,
    ) -> Result<(Target, CheckedPlace), SealError> {
        let id = TargetId::from_uuid(self.ids.next());
        let secrets = place.secrets.seal(self.vault.as_ref(), key, &context(workspace, agent, id, 1)).await?;
        let target = Target {
            id,
            agent,
            workspace: workspace.clone(),
            kind: place.runtime.kind,
            url: place.runtime.url.clone(),
            gateway: place.gateway.as_ref().map(|gateway| gateway.url.clone()),
            device_id: place.gateway.as_ref().map(|gateway| gateway.device_id.clone()),
            secrets,
            secrets_version: 1,
        };
        Ok((target, place))
    }
}

fn check_presence(
    kind: RuntimeKind,
    url: Option<&Endpoint>,
    token: Option<&Secret>,
    has_gateway: bool,
) -> Result<(), CreateAgentError> {
    if kind.needs_url() && url.is_none() {
        Err(CreateAgentError::UrlMissing)
    } else if kind.needs_token() && token.is_none_or(Secret::is_empty) {
        Err(CreateAgentError::TokenMissing)
    } else if kind == RuntimeKind::Openclaw && !has_gateway {
        Err(CreateAgentError::GatewayMissing)
    } else {
        Ok(())
    }
}

/// Tokens travel in headers and frames: printable ASCII only.
fn check_token(token: Option<&Secret>, pointer: &'static str) -> Result<(), CreateAgentError> {
    let Some(token) = token else { return Ok(()) };
    let text = token.expose();
    let travels =
        (1..=16_384).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if travels { Ok(()) } else { Err(CreateAgentError::TokenInvalid(pointer)) }
}
