//! Trying a manifest with the answers recorded in it, without a network.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use nora_kernel::{Clock, Timestamp};

use crate::manifest::Case;
use crate::webhook::Vector;
use crate::{
    Connection, Context, HttpClient, Manifest, NetworkError, Outcome, Provider, Request, Response, Stream, Transport,
    Verdict,
};

/// A case that did not end as its manifest says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("case {case:?}: {detail}")]
pub struct Mismatch {
    /// The case.
    pub case: String,
    /// What was expected, and what came.
    pub detail: String,
}

/// Runs every case of a provider's manifest against its recorded answers, and plays the vectors of its webhooks.
pub async fn rehearse(provider: &dyn Provider) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    for case in provider.manifest().cases() {
        let (config, secrets) = provider.manifest().split(&case.values);
        let connection = Connection::new(provider.manifest(), &config, &secrets);
        let script = Script::new(case);
        let problems = provider.check(&connection);
        let outcome = provider.test(&connection, &script).await;
        let mut details: Vec<String> =
            problems.iter().map(|problem| format!("`{}` is refused: {}", problem.field, problem.detail)).collect();
        details.extend(compare(case, &outcome));
        details.extend(script.leftovers(case));
        details.extend(leaks(provider.manifest(), case, &outcome));
        mismatches.extend(details.into_iter().map(|detail| Mismatch { case: case.name.clone(), detail }));
    }
    mismatches.extend(rehearse_webhooks(provider));
    mismatches
}

/// Plays every vector of a provider's webhook scheme.
fn rehearse_webhooks(provider: &dyn Provider) -> Vec<Mismatch> {
    let Some(scheme) = provider.manifest().webhook() else { return Vec::new() };
    let differences = |vector: &Vector| {
        let received = vector.play(|request, keys, now| provider.receive(request, keys, now));
        let said = vector.play(|request, _, _| scheme.content_and_sender(request.headers, request.body));
        vector.differences(&received, &said)
    };
    let named = |vector: &Vector| {
        differences(vector).into_iter().map(|detail| Mismatch { case: vector.name.clone(), detail }).collect::<Vec<_>>()
    };
    scheme.vectors.iter().flat_map(named).collect()
}

fn compare(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut details = Vec::new();
    if outcome.verdict != case.verdict {
        let (wanted, found) = (named(&case.verdict), named(&outcome.verdict));
        let advice = outcome.advice.as_deref().unwrap_or_default();
        details.push(format!("expected {wanted}, came to {found} {advice}").trim_end().to_owned());
    }
    let account = outcome.account.as_ref().map(crate::Account::as_str);
    if case.account.is_some() && account != case.account.as_deref() {
        details.push(format!("expected the account {:?}, found {account:?}", case.account));
    }
    let advice = outcome.advice.as_deref().unwrap_or_default();
    if let Some(wanted) = case.advice.as_deref().filter(|wanted| !advice.contains(wanted)) {
        details.push(format!("expected advice with {wanted:?}, found {advice:?}"));
    }
    details
}

fn named(verdict: &Verdict) -> &'static str {
    verdict.reason().unwrap_or_else(|| verdict.as_str())
}

/// Whatever a service answers, no secret of the connection is shown.
fn leaks(manifest: &Manifest, case: &Case, outcome: &Outcome) -> Option<String> {
    let shown = format!("{outcome:?}");
    let (_, secrets) = manifest.split(&case.values);
    let leaked = secrets.iter().find(|(_, secret)| !secret.is_empty() && shown.contains(secret.expose()));
    leaked.map(|(field, _)| format!("the outcome shows the secret `{field}`"))
}

/// A context that answers from a case.
struct Script {
    answers: Mutex<VecDeque<Response>>,
    requests: Mutex<Vec<String>>,
}

impl Script {
    fn new(case: &Case) -> Self {
        let answers = case.answers.iter().map(crate::manifest::Answer::response).collect();
        Self { answers: Mutex::new(answers), requests: Mutex::default() }
    }

    fn leftovers(&self, case: &Case) -> Vec<String> {
        let left = self.answers.lock().unwrap_or_else(PoisonError::into_inner).len();
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        let mut details = Vec::new();
        if left > 0 {
            details.push(format!("{left} of the answers were never asked for"));
        }
        if requests.len() > case.answers.len() {
            details.push(format!(
                "{} requests were made, and {} answers are there",
                requests.len(),
                case.answers.len()
            ));
        }
        if !case.requests.is_empty() && *requests != case.requests {
            details.push(format!("expected the requests {:?}, found {requests:?}", case.requests));
        }
        details
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let line = format!("{} {}", request.method.as_str(), request.url);
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        answer.ok_or(NetworkError::Refused)
    }
}

impl Clock for Script {
    /// No case depends on the time: the year 2026 began.
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(1_767_225_600_000_000)
    }
}

#[async_trait]
impl Context for Script {
    fn http(&self) -> &dyn HttpClient {
        self
    }

    fn clock(&self) -> &dyn Clock {
        self
    }

    async fn connect(&self, _: &str, _: u16, _: Transport) -> Result<Box<dyn Stream>, NetworkError> {
        Ok(Box::new(tokio::io::empty()))
    }

    async fn start_tls(&self, stream: Box<dyn Stream>, _: &str) -> Result<Box<dyn Stream>, NetworkError> {
        Ok(stream)
    }
}
