//! Tokens signed with the shared secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_access::ports::TokenVerifier as _;
use nora_jwt_ring::{Expected, RingTokenVerifier, SetupError};
use nora_kernel::Secret;
use serde_json::{Value, json};

use crate::support::{
    FixedClock, claims_with, expected, is_invalid, shared_secret, sign, token, usual_claims, verify_claims,
};

fn verifier() -> RingTokenVerifier {
    RingTokenVerifier::with_secret(&shared_secret(), expected(), FixedClock::new()).unwrap()
}

#[tokio::test]
async fn a_token_of_another_implementation_verifies() {
    assert_eq!(verifier().verify(&token("hs256")).await.unwrap(), usual_claims());
}

#[tokio::test]
async fn another_secret_verifies_nothing() {
    let other = Secret::new("another secret that is long enough to be one".to_owned());
    let verifier = RingTokenVerifier::with_secret(&other, expected(), FixedClock::new()).unwrap();
    assert!(is_invalid(&verifier.verify(&token("hs256")).await));
}

#[tokio::test]
async fn the_algorithm_is_ours_to_say() {
    for name in ["hs512", "none", "rs256", "es256", "eddsa", "ps256"] {
        assert!(is_invalid(&verifier().verify(&token(name)).await), "{name}");
    }
    for algorithm in ["none", "None", "hs256", "HS384", "RS256", ""] {
        let token = sign(&json!({ "alg": algorithm }), &claims_with(&[]).to_string());
        assert!(is_invalid(&verifier().verify(&token).await), "{algorithm}");
    }
    assert!(verifier().verify(&sign(&json!({ "alg": "HS256" }), &claims_with(&[]).to_string())).await.is_ok());
}

#[tokio::test]
async fn every_changed_character_is_refused() {
    let good = token("hs256");
    for (position, character) in good.char_indices() {
        let other = if character == 'A' { 'B' } else { 'A' };
        let mut changed = good.clone();
        changed.replace_range(position..=position, &other.to_string());
        assert!(is_invalid(&verifier().verify(&changed).await), "character {position}");
    }
}

#[tokio::test]
async fn every_other_length_is_refused() {
    let good = token("hs256");
    for length in 0..good.len() {
        assert!(is_invalid(&verifier().verify(good.get(..length).unwrap()).await), "{length} characters");
    }
    for appended in ["A", ".", "=", " ", ".AAAA"] {
        assert!(is_invalid(&verifier().verify(&format!("{good}{appended}")).await), "{appended:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    for refused in
        ["", ".", "..", "...", "nora_abc_def", "eyJhbGciOiJub25lIn0.e30.", "\u{ff4e}\u{ff4f}.\u{ff52}.x", "a.b.c"]
    {
        assert!(is_invalid(&verifier().verify(refused).await), "{refused:?}");
    }
}

#[tokio::test]
async fn a_critical_header_is_refused() {
    for critical in [json!(["b64"]), json!([])] {
        let token = sign(&json!({ "alg": "HS256", "crit": critical }), &claims_with(&[]).to_string());
        assert!(is_invalid(&verifier().verify(&token).await), "{critical}");
    }
}

#[tokio::test]
async fn a_token_may_have_8_kib_and_not_a_byte_more() {
    let of_length = |wanted: usize| {
        let lengths = (0..4).flat_map(|name| (5500..6000).map(move |filler| (name, filler)));
        let mut tokens = lengths.map(|(name, filler)| {
            let header = json!({ "alg": "HS256", "kid": "x".repeat(name) });
            sign(&header, &claims_with(&[("filler", Value::from("x".repeat(filler)))]).to_string())
        });
        tokens.find(|token| token.len() == wanted).unwrap()
    };
    assert!(verifier().verify(&of_length(8192)).await.is_ok());
    assert!(is_invalid(&verifier().verify(&of_length(8193)).await));
}

#[test]
fn a_short_secret_makes_no_verifier() {
    let setup = |length: usize| {
        RingTokenVerifier::with_secret(&Secret::new("s".repeat(length)), expected(), FixedClock::new()).err()
    };
    assert_eq!(setup(31), Some(SetupError::ShortSecret));
    assert_eq!(setup(0), Some(SetupError::ShortSecret));
    assert_eq!(setup(32), None);
}

#[test]
fn an_issuer_and_an_audience_are_needed() {
    let setup = |issuer: &str, audience: &str| {
        let expected = Expected { issuer: issuer.to_owned(), audience: audience.to_owned() };
        RingTokenVerifier::with_secret(&shared_secret(), expected, FixedClock::new()).err()
    };
    assert_eq!(setup("", "nora"), Some(SetupError::NoIssuer));
    assert_eq!(setup("issuer", ""), Some(SetupError::NoAudience));
    assert_eq!(setup("issuer", "nora"), None);
}

#[tokio::test]
async fn nothing_that_is_shown_holds_the_secret_or_the_token() {
    let shown = format!("{:?} {:#?}", verifier(), verifier());
    assert!(shown.contains("issuer.example"), "{shown}");
    assert!(!shown.contains("battery staple"), "{shown}");
    let refused = verify_claims(&[("iss", json!("CANARY"))], FixedClock::new()).await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("CANARY"));
    let claims = URL_SAFE_NO_PAD.decode(token("hs256").split('.').nth(1).unwrap()).unwrap();
    assert!(String::from_utf8(claims).unwrap().contains("admin"), "the fixture asks for what it does not get");
}
