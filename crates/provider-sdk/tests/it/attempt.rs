//! Providers whose test is code.

use std::sync::Arc;

use async_trait::async_trait;
use nora_provider_sdk::{
    Attempt, Connection, Context, NetworkError, Outcome, Provider, Rejection, Request, Secret, Transport, Unreachable,
    Unready, Verdict, Wire, coded,
};
use serde_json::json;

use crate::support::{Entered, HEAD, Scripted, TOKEN, answer, run};

/// Asks who a token belongs to.
struct WhoAmI(Secret);

#[async_trait]
impl Attempt for WhoAmI {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        let token =
            connection.entered("api_token").ok_or(Unready::Untestable("Nothing was sent: a token is needed."))?;
        if token.expose().contains(' ') {
            return Err(Unready::Field { name: "api_token", detail: "must hold no space" });
        }
        Ok(Self(token.duplicate()))
    }

    async fn run(self, _: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let url = "https://api.acme.example/v1/me".parse().unwrap();
        let response = context.http().send(Request::get(url).bearer(&self.0)).await?;
        if response.status == 200 {
            return Ok(Outcome::verified(None).with_status(200));
        }
        let outcome = Outcome::by_status(&response, context.clock().now());
        Err(outcome.advise_on(&Verdict::Rejected(Rejection::Scope), "Give it more.").into())
    }
}

fn provider() -> Arc<dyn Provider> {
    coded::<WhoAmI>("acme.toml", &format!("{HEAD}{TOKEN}[test]\ncode = true\n")).unwrap()
}

fn entered(token: &str) -> Entered {
    Entered::new(&[("api_token", token)], &json!({}))
}

#[test]
fn a_value_that_has_to_be_another_one_is_a_problem_of_its_field() {
    let provider = provider();
    let problems = |token: &str| provider.check(&entered(token).connection(provider.manifest()));
    assert_eq!(problems("canary"), []);
    assert_eq!(problems(""), [], "it may be kept from before");
    let problems = problems("two words");
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert_eq!((problem.field.as_str(), problem.detail.as_str()), ("api_token", "must hold no space"));
}

#[tokio::test]
async fn nothing_is_sent_by_an_attempt_that_cannot_be_made() {
    for (token, advice) in [
        ("", "Nothing was sent: a token is needed."),
        ("two words", "Nothing was sent: “API token” must hold no space."),
    ] {
        let script = Scripted::new([]);
        let outcome = run(&*provider(), &entered(token), &script).await;
        assert_eq!(outcome, Outcome::unverifiable(advice));
        assert!(script.lines().is_empty());
    }
}

#[tokio::test]
async fn how_an_attempt_ends_is_the_outcome_whether_early_or_not() {
    for (reply, verdict) in [
        (answer(200, "{}"), Verdict::Verified),
        (answer(403, "{}"), Verdict::Rejected(Rejection::Scope)),
        (Err(NetworkError::Timeout), Verdict::Unreachable(Unreachable::Timeout)),
    ] {
        let script = Scripted::new([reply]);
        let outcome = run(&*provider(), &entered("canary"), &script).await;
        assert_eq!(outcome.advice.as_deref(), (outcome.status == Some(403)).then_some("Give it more."));
        assert_eq!(outcome.verdict, verdict);
        assert_eq!(script.seen.lock().unwrap()[0].header("authorization"), Some("Bearer canary"));
    }
}

#[tokio::test]
async fn a_peer_that_says_something_else_is_no_usable_answer() {
    let script = Scripted::new([]);
    let mut wire = Wire::connect(&script, "db.acme.example", 5000, Transport::Tls).await.unwrap();
    assert_eq!(wire.line(10).await, Err(NetworkError::Refused));
    let outcome = Box::<Outcome>::from(NetworkError::Protocol);
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::UpstreamError));
    assert!(outcome.advice.unwrap().contains("does not speak"));
}
