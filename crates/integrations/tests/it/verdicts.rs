//! The sentence for each verdict: what a person can do, in our words.

use nora_integrations::Report;
use nora_provider_sdk::{Account, Outcome, Rejection, Unreachable, Verdict};

use crate::support::{Asked, World, caller};

async fn report(outcome: Outcome) -> Report {
    let world = World::new();
    let agent = world.synced_agent().await;
    let made = world.connect(agent, Asked::github("ghp")).await;
    world.probe.answers(outcome.clone());
    let report = world.connections.test(&caller(), agent, made.id).await.unwrap();
    assert_eq!(report.outcome, outcome, "nothing of it is lost");
    assert_eq!(report.is_success(), outcome.verdict == Verdict::Verified);
    report
}

async fn check(outcome: Outcome, message: &str) {
    assert_eq!(report(outcome).await.message, message);
}

#[tokio::test]
async fn a_proof_names_the_account() {
    check(Outcome::verified(None), "Connection verified successfully").await;
    check(Outcome::verified(Account::new("octo\ncat")), "Connected as octocat").await;
    check(Outcome::verified(None).advise("It expires tomorrow."), "Connection verified successfully").await;
}

#[tokio::test]
async fn a_refusal_says_what_to_check() {
    let status = |reason, status| Outcome { status, ..Outcome::rejected(reason) };
    check(
        status(Rejection::Auth, Some(401)),
        "GitHub refused the credentials (HTTP 401). Check that they are complete, not expired and not revoked.",
    )
    .await;
    check(
        status(Rejection::Auth, None),
        "GitHub refused the credentials. Check that they are complete, not expired and not revoked.",
    )
    .await;
    check(
        status(Rejection::Scope, Some(403)),
        "GitHub knows the credentials but they lack a permission the test needs (HTTP 403).",
    )
    .await;
    check(
        status(Rejection::NotFound, Some(404)),
        "GitHub does not know what the configuration names (HTTP 404). Check the account, project or address.",
    )
    .await;
}

#[tokio::test]
async fn silence_says_where_it_began() {
    for (reason, message) in [
        (Unreachable::Dns, "The host name of GitHub does not resolve. Check the address."),
        (Unreachable::Tls, "No trusted TLS session with GitHub could be made. Check its certificate."),
        (Unreachable::Timeout, "GitHub did not answer in time."),
        (Unreachable::Refused, "GitHub refused the connection or cut it."),
        (
            Unreachable::BlockedAddress,
            "The address of GitHub lies in a network this installation does not call (NORA_ALLOW_NETWORKS).",
        ),
        (Unreachable::RateLimited, "GitHub asks to wait before the next test."),
        (Unreachable::UpstreamError, "GitHub did not give a usable answer. Try again later."),
    ] {
        check(Outcome::unreachable(reason), message).await;
    }
    let failed = Outcome { status: Some(502), ..Outcome::unreachable(Unreachable::UpstreamError) };
    check(failed, "GitHub did not give a usable answer (HTTP 502). Try again later.").await;
}

#[tokio::test]
async fn a_providers_advice_comes_first() {
    check(Outcome::rejected(Rejection::Auth).advise("Install the app again."), "Install the app again.").await;
    check(Outcome::unreachable(Unreachable::Dns).advise("Check the region."), "Check the region.").await;
    check(Outcome::unverifiable("There is nothing to ask."), "There is nothing to ask.").await;
    check(Outcome::new(Verdict::Unverifiable), "GitHub offers no way to test this without changing something.").await;
}
