//! Kind `hermes`: a Hermes management API. Its variables are lines of a file that its agents read at every turn.

mod deployment;
mod variables;

use std::sync::Arc;
use std::time::Duration;

use nora_integrations::ports::{
    Applied, FailureClass, Health, Ledger, NotRecorded, OwnedVariable, Push, PushError, RuntimeAddress, Variable,
    VariableState,
};
use nora_kernel::{Digest, EnvName, Secret};
use nora_net_guard::{Answer, GuardedClient};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::failure;
use crate::http::{Call, send};
use variables::{Listed, Plan, unfit};

/// A whole push.
const PUSH: Duration = Duration::from_secs(90);
const TOKEN: HeaderName = HeaderName::from_static("x-hermes-session-token");

const CONFLICT: &str = "Somebody else has set this name in Hermes. Delete it there, then ask for a sync.";
const REFUSED: &str = "Hermes refuses to set this name.";

pub(crate) struct Hermes {
    client: GuardedClient,
    digest: Arc<dyn Digest>,
}

#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    #[serde(serialize_with = "exposed")]
    value: &'a Secret,
}

fn exposed<S: serde::Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[derive(Deserialize)]
struct Written {
    ok: bool,
}

impl Hermes {
    pub(crate) const fn new(client: GuardedClient, digest: Arc<dyn Digest>) -> Self {
        Self { client, digest }
    }

    pub(crate) async fn apply(
        &self,
        address: &RuntimeAddress,
        push: &Push,
        ledger: &dyn Ledger,
    ) -> Result<Applied, PushError> {
        let pushed = timeout(PUSH, self.bring_about(address, push, ledger)).await;
        pushed.unwrap_or(Err(PushError::failed(FailureClass::Timeout)))
    }

    /// Whether Hermes still has a value for everything we own there. What the values are it does not tell.
    pub(crate) async fn health(
        &self,
        address: &RuntimeAddress,
        owned: &[OwnedVariable],
    ) -> Result<Option<Health>, PushError> {
        if owned.is_empty() {
            return Ok(None);
        }
        let listed = self.list(address).await?;
        let lost = Health { agent: Some(address.agent), generation: None };
        Ok((!owned.iter().all(|owned| listed.has(&owned.name))).then_some(lost))
    }

    async fn bring_about(
        &self,
        address: &RuntimeAddress,
        push: &Push,
        ledger: &dyn Ledger,
    ) -> Result<Applied, PushError> {
        let listed = self.list(address).await?;
        let plan = Plan::new(push, &listed, self.digest.as_ref());
        record(ledger, &push.owned, &plan.intended()).await?;
        let mut refused = Vec::new();
        for (name, value) in &plan.set {
            if !self.write(address, name, value).await? {
                refused.push((*name).clone());
            }
        }
        // A line that is taken out does not leave a running agent's environment; an empty one does.
        let nothing = Secret::new(String::new());
        for name in &plan.emptied {
            if !self.write(address, name, &nothing).await? {
                return Err(PushError::failed(FailureClass::Rejected));
            }
        }
        let listed = if plan.is_done() { listed } else { self.list(address).await? };
        let owned = plan.confirmed(&listed, &refused).ok_or(PushError::failed(FailureClass::BadAnswer))?;
        record(ledger, &plan.intended(), &owned).await?;
        Ok(Applied { variables: outcome(push, &plan, &refused) })
    }

    async fn list(&self, address: &RuntimeAddress) -> Result<Listed, PushError> {
        let answer = self.send::<()>(address, Method::GET, None).await?;
        if answer.status != StatusCode::OK {
            return Err(failure::of_status(&answer));
        }
        Listed::read(&answer.body).ok_or(PushError::failed(FailureClass::BadAnswer))
    }

    /// Writes a line; `false` if Hermes refuses its name.
    async fn write(&self, address: &RuntimeAddress, name: &EnvName, value: &Secret) -> Result<bool, PushError> {
        let line = Line { key: name.as_str(), value };
        let answer = self.send(address, Method::PUT, Some(&line)).await?;
        match answer.status {
            StatusCode::OK => {
                let written = serde_json::from_slice(&answer.body);
                let written = written.is_ok_and(|Written { ok }| ok);
                if written { Ok(true) } else { Err(PushError::failed(FailureClass::BadAnswer)) }
            }
            StatusCode::BAD_REQUEST => Ok(false),
            _ => Err(failure::of_status(&answer)),
        }
    }

    async fn send<T: Serialize>(
        &self,
        address: &RuntimeAddress,
        method: Method,
        body: Option<&T>,
    ) -> Result<Answer, PushError> {
        let credential = address.token.as_ref().map(credential).transpose()?;
        send(&self.client, address, Call { method, path: "api/env", credential, body }).await
    }
}

fn credential(token: &Secret) -> Result<(HeaderName, HeaderValue), PushError> {
    let mut value = HeaderValue::from_str(token.expose()).map_err(|_| PushError::failed(FailureClass::Auth))?;
    value.set_sensitive(true);
    Ok((TOKEN, value))
}

/// Writes down what is owned, unless that is what was written down last.
async fn record(ledger: &dyn Ledger, before: &[OwnedVariable], now: &[OwnedVariable]) -> Result<(), PushError> {
    if before == now {
        return Ok(());
    }
    ledger.record(now).await.map_err(|NotRecorded| PushError::failed(FailureClass::Internal))
}

fn outcome(push: &Push, plan: &Plan<'_>, refused: &[EnvName]) -> Vec<Variable> {
    let state = |name: &EnvName, value: &Secret| {
        if let Some(reason) = unfit(name, value) {
            (VariableState::Unsupported, Some(reason))
        } else if plan.conflicts.contains(&name) {
            (VariableState::Conflict, Some(CONFLICT))
        } else if refused.contains(name) {
            (VariableState::Failed, Some(REFUSED))
        } else {
            (VariableState::Live, None)
        }
    };
    let variables = push.env.iter().map(|(name, value)| {
        let (state, reason) = state(name, value);
        Variable { name: name.clone(), state, reason: reason.map(ToOwned::to_owned) }
    });
    variables.collect()
}
