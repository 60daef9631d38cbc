//! Changing an agent.

use nora_kernel::address::InvalidEndpoint;
use nora_kernel::audit::Action;
use nora_kernel::{AgentId, Caller, SealError, Secret, Unavailable};

use crate::directory::PURGE_PATIENCE;
use crate::ports::{AgentUpdate, StoredAgent, TargetUpdate, UpdateAgentError};
use crate::{
    AddressProblem, Agent, AgentName, Agents, CreateAgentError, GatewayInput, Place, RuntimeInput, RuntimeKind,
    RuntimeSecrets, TargetSecretsError,
};

/// What a request says about something that may be there or not.
#[derive(Debug, Default)]
pub enum Patch<T> {
    /// Nothing: it stays.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// It becomes this.
    Set(T),
}

/// What a request says about the runtime. What it leaves out stays.
#[derive(Debug, Default)]
pub struct RuntimeChange {
    /// How it is spoken to.
    pub kind: Option<RuntimeKind>,
    /// Where it listens.
    pub url: Patch<String>,
    /// Its bearer token.
    pub token: Option<Secret>,
}

/// What a request says about the gateway.
#[derive(Debug, Default)]
pub struct GatewayChange {
    /// Where it listens.
    pub url: Option<String>,
    /// Its shared secret.
    pub token: Option<Secret>,
    /// The seed of the device key.
    pub device_key: Option<Secret>,
}

/// A request to change an agent.
#[derive(Debug, Default)]
pub struct ChangeAgent {
    /// What a person calls it from now on.
    pub name: Option<AgentName>,
    /// What changes about its runtime.
    pub runtime: Option<RuntimeChange>,
    /// What changes about its gateway.
    pub gateway: Patch<GatewayChange>,
}

/// Why an agent was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAgentError {
    /// There is no such agent for this caller.
    #[error("there is no such agent")]
    NotFound,
    /// An address would change and its token was not sent again.
    #[error("changing {0} needs its token again")]
    TokenRequired(&'static str),
    /// The changed place is refused like a new one.
    #[error(transparent)]
    Place(#[from] CreateAgentError),
    /// It was changed at the same time, again and again.
    #[error("the agent is being changed by others")]
    Conflict,
    /// The present credentials of the runtime do not open, so they have to be sent again.
    #[error("the runtime's credentials do not open; send every token again")]
    Unreadable(#[source] TargetSecretsError),
    /// The tokens could not be sealed.
    #[error("the runtime's credentials could not be sealed")]
    Seal(#[from] SealError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Agents {
    /// Changes an agent.
    ///
    /// A credential is bound to where it is sent: an address changes only together with its token. The old address
    /// is emptied like a deleted agent's.
    pub async fn change(&self, caller: &Caller, id: AgentId, request: ChangeAgent) -> Result<Agent, ChangeAgentError> {
        let stored = self.find(caller, id).await?.ok_or(ChangeAgentError::NotFound)?;
        let ChangeAgent { name, runtime, gateway } = request;
        let now = self.clock.now();
        let mut agent = stored.agent.clone();
        agent.updated_at = now;
        if let Some(name) = name {
            agent.name = name;
        }
        let target = if runtime.is_none() && matches!(gateway, Patch::Keep) {
            TargetUpdate::Keep
        } else {
            self.change_place(&stored, &mut agent, runtime.unwrap_or_default(), gateway).await?
        };
        let update = AgentUpdate { id, revision: stored.revision, name: agent.name.clone(), updated_at: now, target };
        let line = self.line(caller, &agent.workspace, Action::AgentUpdated, id);
        match self.store.update(&update, &line).await {
            Ok(()) => Ok(agent),
            Err(UpdateAgentError::NotFound) => Err(ChangeAgentError::NotFound),
            Err(UpdateAgentError::Conflict) => Err(ChangeAgentError::Conflict),
            Err(UpdateAgentError::GatewayTaken) => Err(CreateAgentError::GatewayTaken.into()),
            Err(UpdateAgentError::Unavailable(source)) => Err(source.into()),
        }
    }

    async fn change_place(
        &self,
        stored: &StoredAgent,
        agent: &mut Agent,
        runtime: RuntimeChange,
        gateway: Patch<GatewayChange>,
    ) -> Result<TargetUpdate, ChangeAgentError> {
        let present = match stored.target.open(self.vault.as_ref(), &stored.key).await {
            Ok(present) => present,
            // What does not open any more is not missed once everything is sent again.
            Err(error) if !error.may_open_later() && replaces_all(stored, &runtime, &gateway) => {
                RuntimeSecrets::default()
            }
            Err(error) => return Err(ChangeAgentError::Unreadable(error)),
        };
        let runtime = merge_runtime(stored, &present, runtime)?;
        let gateway = merge_gateway(stored, &present, gateway)?;
        let place = self.check_place(runtime, gateway)?;
        let moved = is_elsewhere(&stored.agent, &place.runtime, place.gateway.as_ref());
        let (target, place) = self.seal_place(&agent.workspace, agent.id, &stored.key, place).await?;
        agent.runtime = place.runtime;
        agent.gateway = place.gateway;
        if moved {
            return Ok(TargetUpdate::Move { to: target, purge_until: agent.updated_at.after(PURGE_PATIENCE) });
        }
        let mut rekeyed = crate::Target { device_id: target.device_id, ..stored.target.clone() };
        rekeyed.secrets_version = stored.target.secrets_version.saturating_add(1);
        rekeyed.secrets = place.secrets.seal(self.vault.as_ref(), &stored.key, &rekeyed.context()).await?;
        Ok(TargetUpdate::Rekey(rekeyed))
    }
}

/// Whether a request brings a token for everything that is spoken to with one.
fn replaces_all(stored: &StoredAgent, runtime: &RuntimeChange, gateway: &Patch<GatewayChange>) -> bool {
    let kind = runtime.kind.unwrap_or(stored.agent.runtime.kind);
    let by_token = matches!(kind, RuntimeKind::Nora | RuntimeKind::Hermes);
    let gateway = match gateway {
        Patch::Keep => stored.agent.gateway.is_none(),
        Patch::Remove => true,
        Patch::Set(change) => change.token.is_some(),
    };
    gateway && (runtime.token.is_some() || !by_token)
}

fn is_elsewhere(agent: &Agent, runtime: &crate::Runtime, gateway: Option<&crate::Gateway>) -> bool {
    let present = agent.gateway.as_ref().map(|gateway| &gateway.url);
    agent.runtime != *runtime || present != gateway.map(|gateway| &gateway.url)
}

fn merge_runtime(
    stored: &StoredAgent,
    present: &RuntimeSecrets,
    change: RuntimeChange,
) -> Result<RuntimeInput, ChangeAgentError> {
    let RuntimeChange { kind, url, token } = change;
    let old = &stored.agent.runtime;
    let old_url = old.url.as_ref().map(ToString::to_string);
    let kind = kind.unwrap_or(old.kind);
    let url = match url {
        Patch::Keep => old_url.clone(),
        Patch::Remove => None,
        Patch::Set(url) => Some(url),
    };
    let moved = kind != old.kind || !same_place(url.as_deref(), old_url.as_deref());
    if moved && token.is_none() && present.token.is_some() {
        return Err(ChangeAgentError::TokenRequired("runtime"));
    }
    let kept = || present.token.as_ref().map(Secret::duplicate);
    Ok(RuntimeInput { kind, url, token: token.or_else(kept) })
}

fn merge_gateway(
    stored: &StoredAgent,
    present: &RuntimeSecrets,
    change: Patch<GatewayChange>,
) -> Result<Option<GatewayInput>, ChangeAgentError> {
    let old_url = stored.agent.gateway.as_ref().map(|gateway| gateway.url.to_string());
    let change = match change {
        Patch::Remove => return Ok(None),
        Patch::Set(change) => change,
        Patch::Keep if old_url.is_none() => return Ok(None),
        Patch::Keep => GatewayChange::default(),
    };
    let missing = AddressProblem::Invalid { place: Place::Gateway, reason: InvalidEndpoint::Syntax };
    let url = change.url.or_else(|| old_url.clone()).ok_or(CreateAgentError::Address(missing))?;
    let moved = !same_place(Some(&url), old_url.as_deref());
    let kept = || present.gateway_token.as_ref().filter(|_| !moved).map(Secret::duplicate);
    let token = change.token.or_else(kept).ok_or(ChangeAgentError::TokenRequired("gateway"))?;
    let device_key = change.device_key.or_else(|| present.device_key.as_ref().map(Secret::duplicate));
    Ok(Some(GatewayInput { url, token, device_key }))
}

/// Whether two texts are the same URL, however they are spelled.
fn same_place(one: Option<&str>, other: Option<&str>) -> bool {
    let parse = |text: &str| url::Url::parse(text).ok();
    one == other || one.and_then(parse).is_some_and(|one| other.and_then(parse) == Some(one))
}
