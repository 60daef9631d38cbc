//! Testing connections against the real service.

use std::time::Duration;

use nora_catalog::{Entry, Parsed};
use nora_kernel::address::{Endpoint, Scheme};
use nora_kernel::{AgentId, Caller, IntegrationId, Secret, SecretMap, Timestamp, Unavailable};
use nora_provider_sdk::manifest::{Field, FieldKind};
use nora_provider_sdk::{Connection, Manifest, Outcome, Rejection, Unreachable, Verdict};
use serde_json::{Map, Value};

use crate::connect::parse;
use crate::{ConnectError, Connections, Limited, SecretsError};

/// A connection that is not saved.
#[derive(Debug)]
pub struct Candidate {
    /// The agent it would be for.
    pub agent: AgentId,
    /// The provider's id, as the request spells it.
    pub provider: Option<String>,
    /// The provider's first credential.
    pub token: Option<Secret>,
    /// Everything else, secrets included.
    pub config: Map<String, Value>,
}

/// Why a connection was not tested. What the third party says is a [`Report`], not an error.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// There is no such agent or integration for this caller.
    #[error("there is no such integration")]
    NotFound,
    /// The candidate is refused like a connect request.
    #[error(transparent)]
    Candidate(ConnectError),
    /// Too many tests.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// The vault could not answer.
    #[error("the secrets cannot be opened now")]
    Vault(#[source] SecretsError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The result of a test, in words for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What the provider found.
    pub outcome: Outcome,
    /// A sentence of ours.
    pub message: String,
    /// How long it took.
    pub latency: Duration,
    /// When it ended.
    pub checked_at: Timestamp,
}

impl Report {
    /// Whether the connection was proved to work. True for `verified` alone.
    pub fn is_success(&self) -> bool {
        self.outcome.verdict == Verdict::Verified
    }
}

impl Connections {
    /// Tests a saved connection.
    pub async fn test(&self, caller: &Caller, agent: AgentId, id: IntegrationId) -> Result<Report, TestError> {
        let found = self.find(caller, agent, id).await?.ok_or(TestError::NotFound)?;
        let entry = self.catalog.entry(found.integration.provider.as_str());
        let Some(entry) = entry.filter(|entry| entry.is_enabled()) else {
            return Ok(self.untested("The provider is not enabled in this installation, so nothing was tested."));
        };
        self.admit(caller, entry, &found.integration.config)?;
        let line = self.lines().opened_for_test(caller, &found.workspace, agent, id);
        let opened = self.store.find_to_open(&caller.reach(), agent, id, &line).await?;
        let (stored, key) = opened.ok_or(TestError::NotFound)?;
        match stored.open(self.vault.as_ref(), &key).await {
            Ok(secrets) => Ok(self.run(entry, &stored.integration.config, &secrets).await),
            Err(SecretsError::Unreadable) => {
                let line = self.lines().unreadable(&stored.workspace, agent, id);
                self.sync.mark_unreadable(id, stored.secrets_version, &line).await?;
                Ok(self.untested("The stored credentials do not open any more. Send them again with PATCH."))
            }
            Err(error @ SecretsError::Unavailable(_)) => Err(TestError::Vault(error)),
        }
    }

    /// Tests a connection that is not saved. Nothing of it is kept.
    pub async fn test_candidate(&self, caller: &Caller, candidate: Candidate) -> Result<Report, TestError> {
        let Candidate { agent, provider, token, config } = candidate;
        self.store.agent_key(&caller.reach(), agent).await?.ok_or(TestError::NotFound)?;
        let entry = self.provider(provider.as_deref()).map_err(TestError::Candidate)?;
        let Parsed { config, secrets } = parse(entry, token, config).map_err(TestError::Candidate)?;
        self.admit(caller, entry, &config)?;
        Ok(self.run(entry, &config, &secrets).await)
    }

    fn admit(&self, caller: &Caller, entry: &Entry, config: &Map<String, Value>) -> Result<(), Limited> {
        let key = format!("key {} {}", caller.actor.kind(), caller.actor.id());
        let host = format!("host {}", host(entry.manifest(), config));
        self.limiter.admit(&[&key, &host], self.clock.now())
    }

    async fn run(&self, entry: &Entry, config: &Map<String, Value>, secrets: &SecretMap) -> Report {
        let connection = Connection::new(entry.manifest(), config, secrets);
        let context = self.contexts.open();
        let begun = self.clock.now();
        let outcome = entry.provider().test(&connection, context.as_ref()).await;
        let checked_at = self.clock.now();
        let message = message(entry.manifest().name(), &outcome);
        Report { outcome, message, latency: checked_at.since(begun), checked_at }
    }

    fn untested(&self, message: &'static str) -> Report {
        let outcome = Outcome::unverifiable(message);
        Report { outcome, message: message.to_owned(), latency: Duration::ZERO, checked_at: self.clock.now() }
    }
}

/// The host a test reaches, whichever provider and however it is spelled; the provider's id where its manifest alone
/// says which host that is.
fn host(manifest: &Manifest, config: &Map<String, Value>) -> String {
    let place = |field: &Field| {
        let text = config.get(field.name.as_str())?.as_str()?.to_lowercase();
        match &field.kind {
            FieldKind::BaseUrl => Some(Endpoint::parse(&text, Scheme::Http).ok()?.host().to_owned()),
            FieldKind::Host | FieldKind::HostUnder(_) => Some(text),
            FieldKind::Subdomain => Some(format!("{text}{}", field.domains.first()?)),
            _ => None,
        }
    };
    manifest.config_fields().find_map(place).unwrap_or_else(|| manifest.id().to_string())
}

/// The reference page's sentence for a connection that works.
const VERIFIED: &str = "Connection verified successfully";

fn message(provider: &str, outcome: &Outcome) -> String {
    match (&outcome.verdict, &outcome.account, &outcome.advice) {
        (Verdict::Verified, Some(account), _) => format!("Connected as {account}"),
        (Verdict::Verified, None, _) => VERIFIED.to_owned(),
        (_, _, Some(advice)) => advice.clone().into_owned(),
        (Verdict::Rejected(reason), _, None) => rejected(provider, *reason, outcome.status),
        (Verdict::Unreachable(reason), _, None) => unreachable(provider, *reason, outcome.status),
        (Verdict::Unverifiable, _, None) => {
            format!("{provider} offers no way to test this without changing something.")
        }
    }
}

fn answered(status: Option<u16>) -> String {
    status.map_or_else(String::new, |status| format!(" (HTTP {status})"))
}

fn rejected(provider: &str, reason: Rejection, status: Option<u16>) -> String {
    let status = answered(status);
    match reason {
        Rejection::Auth => {
            format!(
                "{provider} refused the credentials{status}. Check that they are complete, not expired and not revoked."
            )
        }
        Rejection::Scope => {
            format!("{provider} knows the credentials but they lack a permission the test needs{status}.")
        }
        Rejection::NotFound => {
            format!(
                "{provider} does not know what the configuration names{status}. Check the account, project or address."
            )
        }
    }
}

fn unreachable(provider: &str, reason: Unreachable, status: Option<u16>) -> String {
    let status = answered(status);
    match reason {
        Unreachable::Dns => format!("The host name of {provider} does not resolve. Check the address."),
        Unreachable::Tls => format!("No trusted TLS session with {provider} could be made. Check its certificate."),
        Unreachable::Timeout => format!("{provider} did not answer in time."),
        Unreachable::Refused => format!("{provider} refused the connection or cut it."),
        Unreachable::BlockedAddress => {
            format!(
                "The address of {provider} lies in a network this installation does not call (NORA_ALLOW_NETWORKS)."
            )
        }
        Unreachable::RateLimited => format!("{provider} asks to wait before the next test{status}."),
        Unreachable::UpstreamError => format!("{provider} did not give a usable answer{status}. Try again later."),
    }
}
