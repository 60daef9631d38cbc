//! A provider with a connection that works, and services for it to talk to.

use std::time::Duration;

use nora_provider_sdk::manifest::{Answer, Case, Values};
use nora_provider_sdk::{Connection, Outcome, Provider, SecretMap, Verdict};
use serde_json::{Map, Value};

use crate::{LoopbackContext, Reply, Service};

/// How long one test may take in all before the suite calls it stuck.
const STUCK: Duration = Duration::from_secs(10);

/// One recorded success of a provider.
pub(super) struct Subject<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) case: &'a Case,
}

/// Every recorded success.
pub(super) fn subjects(provider: &dyn Provider) -> Vec<Subject<'_>> {
    let successes = provider.manifest().cases().iter().filter(|case| case.verdict == Verdict::Verified);
    successes.map(|case| Subject { provider, case }).collect()
}

impl Subject<'_> {
    /// A service that answers as recorded up to `step`, and with `reply` from then on.
    pub(super) async fn service_failing_at(&self, step: usize, reply: Reply) -> Service {
        let good = self.case.answers.iter().take(step).map(Reply::from).collect::<Vec<_>>();
        Service::start(good, reply).await
    }

    /// The steps at which something can go wrong.
    pub(super) fn steps(&self) -> std::ops::Range<usize> {
        0..self.case.answers.len()
    }

    /// The recorded answers.
    pub(super) fn answers(&self) -> &[Answer] {
        &self.case.answers
    }

    /// Tests the connection.
    pub(super) async fn test(&self, context: &LoopbackContext) -> Result<Outcome, String> {
        test(self.provider, &self.case.values, context).await
    }

    /// Tests the connection against a service that misbehaves at `step`.
    pub(super) async fn test_failing_at(&self, step: usize, reply: Reply) -> Result<Outcome, String> {
        let service = self.service_failing_at(step, reply).await;
        self.test(&LoopbackContext::to_service(&service)).await
    }

    /// Whether an answer's status alone proves the credential, by the manifest's own word.
    pub(super) fn status_is_proof(&self) -> bool {
        self.provider.manifest().requests().iter().any(|request| request.status_is_proof_because.is_some())
    }
}

/// Tests a connection of these values.
pub(super) async fn test(
    provider: &dyn Provider,
    values: &Values,
    context: &LoopbackContext,
) -> Result<Outcome, String> {
    let (config, secrets): (Map<String, Value>, SecretMap) = provider.manifest().split(values);
    let connection = Connection::new(provider.manifest(), &config, &secrets);
    let tested = tokio::time::timeout(STUCK, provider.test(&connection, context)).await;
    tested.map_err(|_| "the test does not end".to_owned())
}

/// What an outcome came to, in a word.
pub(super) fn named(outcome: &Outcome) -> &'static str {
    outcome.verdict.reason().unwrap_or_else(|| outcome.verdict.as_str())
}
