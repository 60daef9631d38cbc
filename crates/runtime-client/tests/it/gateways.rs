//! What tests of gateways have in common.

use nora_agents::RuntimeKind;
use nora_integrations::ports::{
    Applied, GatewayAddress, OwnedVariable, Push, PushError, RuntimeAddress, RuntimeClient as _,
};
use nora_kernel::Secret;
use nora_kernel::address::{Endpoint, Scheme};
use nora_testkit_runtimes::fixtures::{DEVICE_ID, DEVICE_SEED, SECRET};
use nora_testkit_runtimes::{Gateway, GatewaySettings, Journal, Reach, Sidecar};

use crate::support::{Book, agent, empty, push, runtimes};

/// A gateway on another machine that knows our device.
pub(crate) fn paired() -> GatewaySettings {
    GatewaySettings { reach: Reach::Remote, paired: vec![DEVICE_ID.to_owned()], ..GatewaySettings::default() }
}

pub(crate) async fn gateway(settings: GatewaySettings) -> Gateway {
    Gateway::start(settings, Journal::new()).await
}

#[expect(clippy::unnecessary_wraps, reason = "addresses hold secrets that may be absent")]
pub(crate) fn secret(text: &str) -> Option<Secret> {
    Some(Secret::new(text.to_owned()))
}

pub(crate) fn address(gateway: &Gateway) -> RuntimeAddress {
    let url = Endpoint::parse(&gateway.url(), Scheme::WebSocket).unwrap();
    let gateway = GatewayAddress { url, token: secret(SECRET), device_key: secret(DEVICE_SEED) };
    RuntimeAddress { agent: agent(), kind: RuntimeKind::Openclaw, url: None, token: None, gateway: Some(gateway) }
}

pub(crate) fn beside(gateway: &Gateway, sidecar: &Sidecar) -> RuntimeAddress {
    RuntimeAddress { url: Some(Endpoint::parse(&sidecar.url(), Scheme::Http).unwrap()), ..address(gateway) }
}

/// One agent's gateway, and what is owned there from push to push.
pub(crate) struct Keeper {
    pub(crate) address: RuntimeAddress,
    pub(crate) owned: Vec<OwnedVariable>,
    pub(crate) pages: Vec<String>,
}

impl Keeper {
    pub(crate) const fn of(address: RuntimeAddress) -> Self {
        Self { address, owned: Vec::new(), pages: Vec::new() }
    }

    pub(crate) async fn push(&mut self, env: &[(&str, &str)]) -> Result<Vec<String>, PushError> {
        self.apply(Push { owned: self.owned.clone(), ..push(1, env) }).await
    }

    pub(crate) async fn push_nothing(&mut self) -> Result<Vec<String>, PushError> {
        self.apply(Push { owned: self.owned.clone(), ..empty(1) }).await
    }

    /// Applies a push; each variable with its state comes back.
    pub(crate) async fn apply(&mut self, push: Push) -> Result<Vec<String>, PushError> {
        let book = Book::default();
        let applied = runtimes().apply(&self.address, &push, &book).await;
        self.pages = book.pages();
        if !self.pages.is_empty() {
            self.owned = book.last();
        }
        let Applied { mut variables } = applied?;
        variables.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(variables.iter().map(|variable| format!("{} {}", variable.name, variable.state.as_str())).collect())
    }
}
