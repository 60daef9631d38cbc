//! Kind `sidecar`: the agent-runtime of older deployments. It is told what is connected, and never a secret: it
//! authenticates nobody and keeps what it is told readable for everybody.

use nora_integrations::ports::{Applied, FailureClass, Push, PushError, RuntimeAddress, Variable, VariableState};
use nora_net_guard::GuardedClient;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::entry::{Entry, entry};
use crate::failure;
use crate::http::{Call, send};

const NO_VARIABLES: &str =
    "This kind of runtime takes no variables. Give the agent its gateway, or a runtime that does.";

#[derive(Clone)]
pub(crate) struct Sidecar {
    client: GuardedClient,
}

#[derive(Serialize)]
struct Document<'a> {
    integrations: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Confirmation {
    synced: bool,
    count: usize,
}

/// What a sidecar lists. It keeps what it was sent.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Listed {
    id: String,
    provider: String,
}

impl Sidecar {
    pub(crate) const fn new(client: GuardedClient) -> Self {
        Self { client }
    }

    pub(crate) async fn apply(&self, address: &RuntimeAddress, push: &Push) -> Result<Applied, PushError> {
        self.tell(address, push).await?;
        let variables = push.env.iter().map(|(name, _)| Variable {
            name: name.clone(),
            state: VariableState::Unsupported,
            reason: Some(NO_VARIABLES.to_owned()),
        });
        Ok(Applied { variables: variables.collect() })
    }

    /// Sends the whole list, also when it is empty, and reads it back: a sidecar that could not read the list says that
    /// it is synced, and has forgotten everything.
    pub(crate) async fn tell(&self, address: &RuntimeAddress, push: &Push) -> Result<(), PushError> {
        let document = Document { integrations: push.integrations.iter().map(entry).collect() };
        let answer = self.send(address, Method::POST, "integrations/sync", Some(&document)).await?;
        let confirmation: Confirmation = read(&answer)?;
        if !confirmation.synced || confirmation.count != push.integrations.len() {
            return Err(PushError::failed(FailureClass::BadAnswer));
        }
        let held: Vec<Listed> = read(&self.send(address, Method::GET, "integrations", None).await?)?;
        let sent = push
            .integrations
            .iter()
            .map(|integration| Listed { id: integration.id.to_string(), provider: integration.provider.to_string() });
        if sent.eq(held) { Ok(()) } else { Err(PushError::failed(FailureClass::BadAnswer)) }
    }

    async fn send(
        &self,
        address: &RuntimeAddress,
        method: Method,
        path: &'static str,
        body: Option<&Document<'_>>,
    ) -> Result<Vec<u8>, PushError> {
        let call = Call { method, path, credential: credential(address)?, body };
        let answer = send(&self.client, address, call).await?;
        if answer.status == StatusCode::OK { Ok(answer.body.to_vec()) } else { Err(failure::of_status(&answer)) }
    }
}

/// A sidecar asks for nothing; what stands in front of one may.
fn credential(address: &RuntimeAddress) -> Result<Option<(HeaderName, HeaderValue)>, PushError> {
    let Some(token) = &address.token else { return Ok(None) };
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| PushError::failed(FailureClass::Auth))?;
    value.set_sensitive(true);
    Ok(Some((AUTHORIZATION, value)))
}

fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, PushError> {
    serde_json::from_slice(json).map_err(|_| PushError::failed(FailureClass::BadAnswer))
}
