//! Which claims are accepted, to the second.

use std::time::Duration;

use nora_kernel::{Scope, Scopes};
use serde_json::{Value, json};

use nora_access::ports::TokenVerifier as _;
use nora_jwt_ring::RingTokenVerifier;

use crate::support::{FixedClock, NOW, expected, is_invalid, shared_secret, sign, usual_claims, verify_claims};

async fn accepts(changes: &[(&str, Value)]) -> bool {
    let outcome = verify_claims(changes, FixedClock::new()).await;
    assert!(outcome.is_ok() || is_invalid(&outcome));
    outcome.is_ok()
}

async fn accepts_at(seconds: i64, changes: &[(&str, Value)]) -> bool {
    let clock = FixedClock::new();
    clock.set(seconds);
    verify_claims(changes, clock).await.is_ok()
}

#[tokio::test]
async fn good_claims_are_handed_out() {
    assert_eq!(verify_claims(&[], FixedClock::new()).await.unwrap(), usual_claims());
}

#[tokio::test]
async fn a_token_expires_30_seconds_late() {
    let expires = [("exp", json!(NOW))];
    for (seconds, accepted) in [(-1000, true), (0, true), (29, true), (30, false), (31, false), (100_000, false)] {
        assert_eq!(accepts_at(NOW + seconds, &expires).await, accepted, "{seconds} s");
    }
    let clock = FixedClock::new();
    clock.set(NOW + 29);
    clock.advance(Duration::from_micros(999_999));
    assert!(verify_claims(&expires, clock).await.is_ok());
}

#[tokio::test]
async fn a_token_begins_30_seconds_early() {
    let begins = [("nbf", json!(NOW)), ("exp", json!(NOW + 1000))];
    for (seconds, accepted) in [(-1000, false), (-31, false), (-30, true), (-29, true), (0, true)] {
        assert_eq!(accepts_at(NOW + seconds, &begins).await, accepted, "{seconds} s");
    }
}

#[tokio::test]
async fn times_are_numbers() {
    for (accepted, expires) in [
        (true, json!(4_102_444_800_i64)),
        (true, json!(4_102_444_800.75)),
        (true, json!(i64::MAX)),
        (false, json!(0)),
        (false, json!(-1)),
        (false, json!(-1.5)),
        (false, json!(i64::MIN)),
        (false, json!(1e300)),
        (false, json!("4102444800")),
        (false, json!([4_102_444_800_i64])),
        (false, json!(true)),
    ] {
        assert_eq!(accepts(&[("exp", expires.clone())]).await, accepted, "exp {expires}");
    }
    for (accepted, begins) in [
        (true, json!(NOW)),
        (true, json!(0.5)),
        (true, json!(-1)),
        (false, json!(i64::MAX)),
        (false, json!(1e300)),
        (false, json!("0")),
        (false, json!({})),
    ] {
        assert_eq!(accepts(&[("nbf", begins.clone())]).await, accepted, "nbf {begins}");
    }
}

#[tokio::test]
async fn every_required_claim_is_required() {
    for name in ["iss", "aud", "exp", "sub", "workspace"] {
        assert!(!accepts(&[(name, Value::Null)]).await, "without {name}");
        for wrong in [json!(7), json!({}), json!([]), json!("")] {
            assert!(!accepts(&[(name, wrong.clone())]).await, "{name} is {wrong}");
        }
    }
    assert!(accepts(&[("nbf", Value::Null)]).await);
}

#[tokio::test]
async fn the_issuer_must_be_ours_to_the_letter() {
    for refused in
        ["https://issuer.example/", "HTTPS://issuer.example", "https://other.example", " https://issuer.example"]
    {
        assert!(!accepts(&[("iss", json!(refused))]).await, "{refused}");
    }
    assert!(!accepts(&[("iss", json!(["https://issuer.example"]))]).await, "an issuer is one");
}

#[tokio::test]
async fn the_audience_must_be_or_contain_ours() {
    assert!(accepts(&[("aud", json!(["other", "nora"]))]).await);
    for refused in
        [json!("Nora"), json!("nora "), json!("other"), json!(["other"]), json!([["nora"]]), json!([7, "nora"])]
    {
        assert!(!accepts(&[("aud", refused.clone())]).await, "{refused}");
    }
}

#[tokio::test]
async fn scopes_are_those_we_know_and_never_admin() {
    let scopes =
        async |scope: Value| verify_claims(&[("scope", scope)], FixedClock::new()).await.map(|claims| claims.scopes);
    assert_eq!(scopes(json!("admin")).await.unwrap(), Scopes::NONE);
    let read = Scopes::NONE.with(Scope::AgentsRead);
    assert_eq!(scopes(json!("agents:read admin")).await.unwrap(), read);
    assert_eq!(scopes(json!("openid  agents:read ADMIN agents:read")).await.unwrap(), read);
    assert_eq!(scopes(json!("")).await.unwrap(), Scopes::NONE);
    assert_eq!(scopes(Value::Null).await.unwrap(), Scopes::NONE);
    assert!(scopes(json!(["agents:read"])).await.is_err());
    let all: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let granted = scopes(json!(all.join(" "))).await.unwrap();
    assert_eq!(granted, Scope::ALL.iter().copied().collect::<Scopes>().without(Scope::Admin));
}

#[tokio::test]
async fn a_workspace_is_a_slug() {
    assert!(accepts(&[("workspace", json!("team-7"))]).await);
    for refused in ["Acme", "a b", "../acme", "-acme", &"a".repeat(64)] {
        assert!(!accepts(&[("workspace", json!(refused))]).await, "{refused}");
    }
}

#[tokio::test]
async fn a_subject_fits_into_a_line() {
    assert!(accepts(&[("sub", json!("s".repeat(255)))]).await);
    assert!(accepts(&[("sub", json!("Jörg Müller"))]).await);
    for refused in ["s".repeat(256), "a\nb".to_owned(), "a\u{1b}[31m".to_owned(), "\0".to_owned()] {
        assert!(!accepts(&[("sub", json!(refused))]).await, "{refused:?}");
    }
}

#[tokio::test]
async fn a_claim_that_comes_twice_is_refused() {
    let verifier = RingTokenVerifier::with_secret(&shared_secret(), expected(), FixedClock::new()).unwrap();
    let claims = format!(
        r#"{{"iss":"https://issuer.example","aud":"nora","sub":"s","exp":{},"workspace":"acme","workspace":"other"}}"#,
        NOW + 60
    );
    assert!(is_invalid(&verifier.verify(&sign(&json!({"alg": "HS256"}), &claims)).await));
    let once = claims.replace(r#","workspace":"other""#, "");
    assert!(verifier.verify(&sign(&json!({"alg": "HS256"}), &once)).await.is_ok());
}
