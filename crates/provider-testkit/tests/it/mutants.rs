//! Providers that are wrong in one way each fail exactly the check that is about it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use nora_provider_sdk::{
    Account, Connection, Context, Declarative, Manifest, Method, Outcome, Provider, Rejection, Request, Response,
    Secret, Unreachable, Verdict,
};
use nora_provider_testkit::suite;
use serde_json::Value;
use url::Url;

const MANIFEST: &str = r#"
id = "acme"
name = "Acme"
category = "productivity"
description = "Reads and writes Acme tasks."
docs_url = "https://developers.acme.example/rest"
auth_type = "token"

[[fields]]
name = "api_token"
title = "API token"
env = "ACME_API_TOKEN"

[[fields]]
name = "region"
title = "Region"
type = "choice"
options = ["eu", "us"]
default = "us"

TEST

[example]
values = { api_token = "acme-0123456789" }

[[cases]]
name = "a good token"
expect = "verified"
account = "ada"
answers = [{ json = '{"login": "ada", "id": 1}' }]
"#;

const DECLARED: &str = r#"
[test]
url = "https://api.acme.example/me"
headers = { Authorization = "Bearer {api_token}" }
success = { json = { pointer = "/login", type = "string" } }
account = ["/login"]
"#;

fn manifest(test: &str) -> String {
    MANIFEST.replace("TEST", test)
}

/// What one mutant does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    LeaksItsToken,
    PostsWithoutReason,
    FollowsRedirects,
    TrustsTheStatus,
    TrustsAnyObject,
    ForgetsRetryAfter,
    TakesFaultsForRefusals,
    TakesConflictsForProof,
    HidesTimeouts,
    AsksTwice,
}

/// A provider in code, right but for its fault.
struct Mutant {
    manifest: Manifest,
    fault: Fault,
}

impl Mutant {
    fn new(fault: Fault) -> Self {
        let manifest = Manifest::parse("mutant.toml", &manifest("[test]\ncode = true\n")).unwrap();
        Self { manifest, fault }
    }

    fn request(&self, token: &Secret) -> Request {
        let mut request = Request::get(Url::parse("https://api.acme.example/me").unwrap())
            .header("authorization", format!("Bearer {}", token.expose()));
        if self.fault == Fault::PostsWithoutReason {
            request.method = Method::Post;
        }
        request
    }

    fn judge(&self, response: &Response, token: &Secret) -> Outcome {
        let body: Option<Value> = serde_json::from_slice(&response.body).ok();
        let login = body.as_ref().and_then(|body| body.pointer("/login")).and_then(Value::as_str);
        match (response.status, login) {
            (200, Some(login)) if !login.contains(token.expose()) => Outcome::verified(Account::new(login)),
            (200, Some(_)) => Outcome::verified(None),
            (200, None) if self.fault == Fault::TrustsTheStatus => Outcome::verified(None),
            (200, None) if self.fault == Fault::TrustsAnyObject && has_members(body.as_ref()) => {
                Outcome::verified(None)
            }
            (409, _) if self.fault == Fault::TakesConflictsForProof => Outcome::verified(None),
            (401, _) if self.fault == Fault::LeaksItsToken => {
                Outcome::rejected(Rejection::Auth).advise(format!("{} is no longer valid.", token.expose()))
            }
            (500..=599, _) if self.fault == Fault::TakesFaultsForRefusals => Outcome::rejected(Rejection::Auth),
            (401, _) => Outcome::rejected(Rejection::Auth),
            (403, _) => Outcome::rejected(Rejection::Scope),
            (404, _) => Outcome::rejected(Rejection::NotFound),
            (429, _) => self.limited(response),
            _ => Outcome::unreachable(Unreachable::UpstreamError),
        }
    }

    fn limited(&self, response: &Response) -> Outcome {
        let mut outcome = Outcome::unreachable(Unreachable::RateLimited);
        if self.fault != Fault::ForgetsRetryAfter {
            let seconds = response.header("retry-after").and_then(|seconds| seconds.parse().ok());
            outcome.retry_after = seconds.map(Duration::from_secs);
        }
        outcome
    }
}

fn has_members(body: Option<&Value>) -> bool {
    body.and_then(Value::as_object).is_some_and(|members| !members.is_empty())
}

#[async_trait]
impl Provider for Mutant {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        let token = connection.secret("api_token").unwrap();
        let mut answer = context.http().send(self.request(token)).await;
        if self.fault == Fault::AsksTwice && answer.as_ref().is_ok_and(|response| response.status == 200) {
            let _ = context.http().send(self.request(token)).await;
        }
        if self.fault == Fault::FollowsRedirects
            && let Ok(response) = &answer
            && (300..400).contains(&response.status)
            && let Some(location) = response.header("location").and_then(|location| Url::parse(location).ok())
        {
            answer = context.http().send(Request::get(location)).await;
        }
        match answer {
            Ok(response) => self.judge(&response, token),
            Err(error) if self.fault == Fault::HidesTimeouts && error == nora_provider_sdk::NetworkError::Timeout => {
                Outcome::unreachable(Unreachable::UpstreamError)
            }
            Err(error) => Outcome::unreachable(error.into()),
        }
    }
}

async fn failed(provider: &dyn Provider) -> Vec<&'static str> {
    suite::failures(provider).await.into_iter().map(|(name, _)| name).collect()
}

#[tokio::test]
async fn a_right_provider_passes() {
    assert_eq!(suite::failures(&Mutant::new(Fault::None)).await, []);
    let declared = Declarative::parse("acme.toml", &manifest(DECLARED)).unwrap();
    assert_eq!(suite::failures(&declared).await, []);
}

#[tokio::test]
async fn each_fault_fails_the_check_that_is_about_it() {
    for (fault, checks) in [
        (Fault::LeaksItsToken, ["secrets_are_never_shown"].as_slice()),
        (Fault::PostsWithoutReason, &["changing_requests_say_why_they_do_not"]),
        (Fault::FollowsRedirects, &["redirects_are_not_followed"]),
        (Fault::ForgetsRetryAfter, &["too_many_requests_says_when"]),
        (Fault::TakesFaultsForRefusals, &["faults_are_unreachable"]),
        (Fault::TakesConflictsForProof, &["other_refusals_prove_nothing"]),
        (Fault::HidesTimeouts, &["a_slow_answer_is_a_timeout"]),
        (Fault::TrustsAnyObject, &["an_error_in_a_success_proves_nothing"]),
        (Fault::AsksTwice, &["recorded_cases_end_as_they_say", "a_valid_credential_is_verified"]),
    ] {
        assert_eq!(failed(&Mutant::new(fault)).await, checks, "{fault:?}");
    }
}

/// Whoever trusts a status trusts any page with it, and any error in it.
#[tokio::test]
async fn a_status_is_no_proof() {
    let found = failed(&Mutant::new(Fault::TrustsTheStatus)).await;
    assert_eq!(found, ["other_content_proves_nothing", "an_error_in_a_success_proves_nothing"]);
}

/// Mistakes in a manifest, and the check that finds each.
#[tokio::test]
async fn mistakes_in_a_manifest_are_found() {
    for (from, to, check) in [
        ("acme-0123456789", "short", "schema_takes_the_example"),
        ("api_token = \"acme-0123456789\"", "api_token = \"acme-0123456789\", region = \"us\"", ""),
        ("account = \"ada\"", "account = \"bob\"", "recorded_cases_end_as_they_say"),
        ("[[cases]]", "[[unused]]", "parse"),
        ("ACME_API_TOKEN", &"A".repeat(110), "variables_are_legal_and_unique"),
    ] {
        let text = manifest(DECLARED).replacen(from, to, 1);
        let Ok(provider) = Declarative::parse("acme.toml", &text) else {
            assert_eq!(check, "parse", "{to}");
            continue;
        };
        let expected: Vec<&str> = Some(check).into_iter().filter(|check| !check.is_empty()).collect();
        assert_eq!(failed(&provider).await, expected, "{to}");
    }
}

#[tokio::test]
async fn a_provider_without_a_recorded_success_is_not_green_for_want_of_trying() {
    let text = manifest(DECLARED);
    let (without, _) = text.split_once("[[cases]]").unwrap();
    let provider = Declarative::parse("acme.toml", without).unwrap();
    assert_eq!(failed(&provider).await, ["a_success_is_recorded"]);
}

/// Failures that a manifest words itself are still held to the suite.
#[tokio::test]
async fn a_manifest_can_be_wrong_about_its_service() {
    let rule = "[[test.failures]]\nstatus = 401\nreason = \"upstream_error\"\n";
    let text = manifest(&format!("{DECLARED}{rule}"));
    let provider = Declarative::parse("acme.toml", &text).unwrap();
    assert_eq!(failed(&provider).await, ["refusals_are_rejections"]);
    assert_eq!(provider.manifest().cases().first().map(|case| &case.verdict), Some(&Verdict::Verified));
}

mod macro_over_a_right_provider {
    use super::{Arc, DECLARED, Declarative, Provider, manifest};

    fn providers() -> Vec<Arc<dyn Provider>> {
        vec![Arc::new(Declarative::parse("acme.toml", &manifest(DECLARED)).unwrap())]
    }

    nora_provider_testkit::conformance!(providers());
}
