//! Kind `openclaw`: a gateway's secret store over its WebSocket, and the sidecar beside it, if there is one.
//!
//! Values go before metadata when something is connected, and metadata before values when something goes: an agent
//! reads of a tool only while its credential is there. What the store lists afterwards confirms a push, not its `ok`.

mod deployment;
mod device;
mod failure;
mod frame;
mod handshake;
mod plan;
mod policy;
mod servers;
mod session;
mod socket;
mod store;

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::ports::{
    Applied, FailureClass, GatewayAddress, Health, Ledger, NotRecorded, OwnedVariable, Push, PushError, RuntimeAddress,
    Variable, VariableState,
};
use nora_kernel::{Digest, EnvName};
use nora_net_guard::Guard;
use tokio::time::timeout;

use crate::sidecar::Sidecar;
use plan::{Plan, Wanted, plan};
use policy::{Abilities, Route, route};
use session::{CallError, Session};

/// A whole push, with as many changes as a gateway takes in a minute.
const PUSH: Duration = Duration::from_secs(90);

const CONFLICT: &str = "Somebody else has set this name in the gateway's secret store. Delete it there, then ask for a \
                        sync.";
const REFUSED: &str = "The gateway's secret store refuses this variable.";

pub(crate) struct Openclaw {
    guard: Guard,
    digest: Arc<dyn Digest>,
    sidecar: Sidecar,
}

impl Openclaw {
    pub(crate) const fn new(guard: Guard, digest: Arc<dyn Digest>, sidecar: Sidecar) -> Self {
        Self { guard, digest, sidecar }
    }

    pub(crate) async fn apply(
        &self,
        address: &RuntimeAddress,
        push: &Push,
        ledger: &dyn Ledger,
    ) -> Result<Applied, PushError> {
        let gateway = gateway(address)?;
        let pushed = timeout(PUSH, async {
            let mut session = Session::open(&self.guard, gateway).await?;
            let variables = self.bring_about(&mut session, address, push, ledger).await?;
            tracing::debug!(agent = %push.agent, boot = session.hello().boot(), "the gateway confirmed a push");
            session.close().await;
            Ok(Applied { variables })
        });
        pushed.await.unwrap_or(Err(PushError::failed(FailureClass::Timeout)))
    }

    /// Whether the gateway still holds what we own there, unchanged.
    pub(crate) async fn health(
        &self,
        address: &RuntimeAddress,
        owned: &[OwnedVariable],
    ) -> Result<Option<Health>, PushError> {
        if owned.is_empty() {
            return Ok(None);
        }
        let mut session = Session::open(&self.guard, gateway(address)?).await?;
        let entries = store::list(&mut session).await?;
        session.close().await;
        let is_there = |owned: &OwnedVariable| {
            let entry = entries.get(owned.name.as_str()).filter(|entry| entry.is_ours());
            entry.is_some_and(|entry| Some(entry.changed_at_ms) == owned.changed_at_ms)
        };
        let lost = Health { agent: Some(address.agent), generation: None };
        Ok((!owned.iter().all(is_there)).then_some(lost))
    }

    async fn bring_about(
        &self,
        session: &mut Session,
        address: &RuntimeAddress,
        push: &Push,
        ledger: &dyn Ledger,
    ) -> Result<Vec<Variable>, PushError> {
        let (wanted, mut variables) = self.sort_out(session, push).await?;
        if !session.hello().has_store() {
            // What was put into a store that is gone cannot be taken out of it.
            if !push.owned.is_empty() {
                return Err(PushError::failed(FailureClass::UnsupportedRuntime));
            }
            self.tell_sidecar(address, push).await?;
            return Ok(variables);
        }
        let mut entries = store::list(session).await?;
        let plan = plan(wanted, &entries, &push.owned);
        record(ledger, &push.owned, &plan.intended(&entries)).await?;
        let refused = match set(session, &plan).await {
            Ok(refused) => refused,
            Err(Left { written, because: CallError::Refused(error) }) => {
                let entries = store::list(session).await?;
                record(ledger, &plan.intended(&entries), &plan.progress(&entries, written)).await?;
                return Err(CallError::Refused(error).into());
            }
            Err(Left { because, .. }) => return Err(because.into()),
        };
        self.tell_sidecar(address, push).await?;
        delete(session, &plan).await?;
        if !plan.is_done() {
            entries = store::list(session).await?;
        }
        let owned = plan.confirmed(&entries, &refused).ok_or(PushError::failed(FailureClass::BadAnswer))?;
        record(ledger, &plan.intended(&entries), &owned).await?;
        variables.extend(outcome(&plan, &refused));
        Ok(variables)
    }

    /// Which variables belong into the store, and what becomes of the others.
    async fn sort_out<'a>(
        &self,
        session: &mut Session,
        push: &'a Push,
    ) -> Result<(Vec<Wanted<'a>>, Vec<Variable>), PushError> {
        let store = session.hello().has_store();
        let egress_proxy = store && !push.header_hosts.is_empty() && store::has_egress_proxy(session).await?;
        let (mut wanted, mut others) = (Vec::new(), Vec::new());
        for (name, value) in &push.env {
            let hosts = push.header_hosts.get(name).map(Vec::as_slice);
            match route(name, value.expose().len(), hosts, Abilities { store, egress_proxy }) {
                Route::Store(holding) => wanted.push(Wanted::new(name, value, holding, self.digest.as_ref())),
                Route::Redeploy(reason) => others.push(variable(name, VariableState::PendingRedeploy, Some(reason))),
                Route::Refused(reason) => others.push(variable(name, VariableState::Unsupported, Some(reason))),
            }
        }
        Ok((wanted, others))
    }

    async fn tell_sidecar(&self, address: &RuntimeAddress, push: &Push) -> Result<(), PushError> {
        if address.url.is_some() { self.sidecar.tell(address, push).await } else { Ok(()) }
    }
}

fn gateway(address: &RuntimeAddress) -> Result<&GatewayAddress, PushError> {
    address.gateway.as_ref().ok_or(PushError::failed(FailureClass::Internal))
}

/// Writes down what is owned, unless that is what was written down last.
async fn record(ledger: &dyn Ledger, before: &[OwnedVariable], now: &[OwnedVariable]) -> Result<(), PushError> {
    if before == now {
        return Ok(());
    }
    ledger.record(now).await.map_err(|NotRecorded| PushError::failed(FailureClass::Internal))
}

/// Where the writes of a plan were left, and why.
struct Left {
    written: usize,
    because: CallError,
}

/// Writes what is to be written, and returns the names that were refused as such: the others go on.
async fn set(session: &mut Session, plan: &Plan<'_>) -> Result<Vec<EnvName>, Left> {
    let mut refused = Vec::new();
    for (written, wanted) in plan.set.iter().enumerate() {
        let left = |because| Left { written, because };
        match store::set(session, wanted.name.as_str(), wanted.value, &wanted.holding).await {
            Ok(answer) => settle(session, &answer).await.map_err(left)?,
            Err(CallError::Refused(error)) if error.code == "INVALID_REQUEST" => refused.push(wanted.name.clone()),
            Err(CallError::Refused(error)) if error.is_only_half_done() => reload(session).await.map_err(left)?,
            Err(error) => return Err(left(error)),
        }
    }
    Ok(refused)
}

async fn delete(session: &mut Session, plan: &Plan<'_>) -> Result<(), PushError> {
    for owned in &plan.deleted {
        match store::delete(session, owned.name.as_str()).await {
            Ok(written) => settle(session, &written).await?,
            Err(CallError::Refused(error)) if error.is_only_half_done() => reload(session).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What the running gateway did not take over everywhere it is asked to take over once more.
async fn settle(session: &mut Session, written: &store::Written) -> Result<(), CallError> {
    if written.is_partial() { reload(session).await } else { Ok(()) }
}

/// Users of an entry that stay without it are the gateway's to report; the entry itself is in the store.
async fn reload(session: &mut Session) -> Result<(), CallError> {
    store::reload(session).await.map(drop)
}

fn outcome(plan: &Plan<'_>, refused: &[EnvName]) -> Vec<Variable> {
    let confirmed = plan.kept.iter().chain(&plan.set).map(|wanted| {
        if refused.contains(wanted.name) {
            variable(wanted.name, VariableState::Failed, Some(REFUSED))
        } else {
            variable(wanted.name, VariableState::Live, None)
        }
    });
    let conflicts = plan.conflicts.iter().map(|name| variable(name, VariableState::Conflict, Some(CONFLICT)));
    confirmed.chain(conflicts).collect()
}

fn variable(name: &EnvName, state: VariableState, reason: Option<&str>) -> Variable {
    Variable { name: name.clone(), state, reason: reason.map(ToOwned::to_owned) }
}
