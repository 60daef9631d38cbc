//! Tokens signed with a key of the issuer's set.

use nora_access::ports::TokenVerifier as _;
use serde_json::{Value, json};

use crate::support::{Setup, is_invalid, is_unavailable, key, key_with, set, token, usual_claims, usual_set};

#[tokio::test]
async fn tokens_of_another_implementation_verify() {
    let setup = Setup::new(usual_set());
    for name in ["rs256", "es256", "eddsa", "audience_list"] {
        assert_eq!(setup.verify(name).await.unwrap(), usual_claims(), "{name}");
    }
}

#[tokio::test]
async fn every_changed_character_is_refused() {
    let setup = Setup::new(usual_set());
    for name in ["rs256", "es256", "eddsa"] {
        let good = token(name);
        let header = good.find('.').unwrap();
        // Behind the header: a changed `kid` is another case.
        for (position, character) in good.char_indices().skip(header) {
            let other = if character == 'A' { 'B' } else { 'A' };
            let mut changed = good.clone();
            changed.replace_range(position..=position, &other.to_string());
            assert!(is_invalid(&setup.verifier.verify(&changed).await), "{name}, character {position}");
        }
    }
}

#[tokio::test]
async fn signatures_cannot_be_exchanged() {
    let setup = Setup::new(usual_set());
    let signature = |name: &str| token(name).rsplit('.').next().unwrap().to_owned();
    for (name, other) in [("rs256", "es256"), ("es256", "eddsa"), ("eddsa", "es256"), ("es256", "es256_without_kid")] {
        let good = token(name);
        let (message, _) = good.rsplit_once('.').unwrap();
        let forged = format!("{message}.{}", signature(other));
        assert!(is_invalid(&setup.verifier.verify(&forged).await), "{name} with the signature of {other}");
        assert!(is_invalid(&setup.verifier.verify(&format!("{message}.")).await), "{name} without a signature");
    }
}

#[tokio::test]
async fn the_algorithm_is_the_keys() {
    let setup = Setup::new(set(&[key("rsa"), key("other_rsa"), key("ec"), key("ed")]));
    for name in [
        "none",
        "hs256",
        "hs256_with_public_pem",
        "hs256_with_public_der",
        "hs256_with_public_modulus",
        "hs256_with_public_modulus_text",
        "rs512",
        "ps256",
        "rs256_under_ec_kid",
        "es256_under_rsa_kid",
        "rs256_under_other_kid",
        "es256_der_signature",
        "rs256_with_own_key",
        "rs256_critical",
    ] {
        assert!(is_invalid(&setup.verify(name).await), "{name}");
    }
    assert!(setup.verify("rs256").await.is_ok());
    assert!(setup.verify("other_rs256").await.is_ok());
}

#[tokio::test]
async fn claims_are_checked_here_too() {
    let setup = Setup::new(usual_set());
    assert!(is_invalid(&setup.verify("rs256_expired").await));
    assert!(is_invalid(&setup.verify("es256_wrong_issuer").await));
}

#[tokio::test]
async fn only_a_single_key_need_not_be_named() {
    for (name, only) in [("rs256_without_kid", "rsa"), ("es256_without_kid", "ec"), ("eddsa_without_kid", "ed")] {
        let single = Setup::new(set(&[key(only)]));
        assert_eq!(single.verify(name).await.unwrap(), usual_claims(), "{name}");
        let several = Setup::new(usual_set());
        assert!(is_invalid(&several.verify(name).await), "{name}");
        several.assert_fetches(1);
    }
    let nameless = Setup::new(set(&[key_with("rsa", &[("kid", Value::Null)])]));
    assert!(nameless.verify("rs256_without_kid").await.is_ok());
    assert!(is_invalid(&nameless.verify("rs256").await), "a name that no key has");
}

#[tokio::test]
async fn keys_of_different_types_may_share_a_name() {
    let setup = Setup::new(set(&[key_with("ed", &[("kid", json!("rsa"))]), key("rsa")]));
    assert!(setup.verify("rs256").await.is_ok());
}

#[tokio::test]
async fn keys_of_no_use_here_are_ignored() {
    let ignored = [
        key_with("rsa", &[("use", json!("enc"))]),
        key_with("rsa", &[("use", Value::Null), ("key_ops", json!(["encrypt", "wrapKey"]))]),
        key_with("rsa", &[("alg", json!("RS512"))]),
        key_with("rsa", &[("alg", json!("PS256"))]),
        key_with("rsa", &[("alg", json!("RSA-OAEP"))]),
        key_with("rsa", &[("alg", json!("none"))]),
        key_with("rsa", &[("kty", json!("oct")), ("k", json!("c2VjcmV0"))]),
        key_with("rsa", &[("n", json!("***"))]),
        key_with("rsa", &[("n", json!(""))]),
        key_with("rsa", &[("n", json!("A".repeat(342)))]),
        key_with("rsa", &[("n", json!("_".repeat(1400)))]),
        key_with("rsa", &[("e", Value::Null)]),
        key_with("rsa", &[("kid", json!(7))]),
        json!(null),
        json!("rsa"),
    ];
    for key in ignored {
        let setup = Setup::new(set(std::slice::from_ref(&key)));
        assert!(is_invalid(&setup.verify("rs256").await), "{key}");
        let among_others = Setup::new(set(&[key.clone(), self::key("ec")]));
        assert!(among_others.verify("es256").await.is_ok(), "one odd key locks nobody out: {key}");
    }
}

#[tokio::test]
async fn members_that_say_nothing_against_a_key_are_no_hindrance() {
    let rsa = key_with(
        "rsa",
        &[("use", Value::Null), ("alg", Value::Null), ("key_ops", json!(["verify"])), ("x5c", json!([]))],
    );
    let modulus = key("rsa").get("n").and_then(Value::as_str).unwrap().to_owned();
    assert!(Setup::new(set(&[rsa])).verify("rs256").await.is_ok());
    // Three zero bytes are four characters of base64, so the rest need not be decoded here.
    let padded = key_with("rsa", &[("n", json!(format!("AAAA{modulus}")))]);
    assert!(Setup::new(set(&[padded])).verify("rs256").await.is_ok());
}

#[tokio::test]
async fn weak_and_foreign_keys_verify_nothing() {
    let setup = Setup::new(set(&[key("weak_rsa"), key("p384"), key("ec")]));
    assert!(is_invalid(&setup.verify("weak_rs256").await));
    assert!(is_invalid(&setup.verify("es384").await));
    assert!(setup.verify("es256").await.is_ok());
    for (name, changes) in [
        ("es256", [("crv", json!("P-384"))]),
        ("es256", [("x", json!("AAAA"))]),
        ("es256", [("y", key("ec").get("x").unwrap().clone())]),
    ] {
        assert!(is_invalid(&Setup::new(set(&[key_with("ec", &changes)])).verify(name).await), "{changes:?}");
    }
    for changes in [[("crv", json!("X25519"))], [("x", json!("AAAA"))], [("x", key("ec").get("x").unwrap().clone())]] {
        assert!(is_invalid(&Setup::new(set(&[key_with("ed", &changes)])).verify("eddsa").await), "{changes:?}");
    }
}

#[tokio::test]
async fn a_key_that_is_ignored_does_not_count() {
    for ignored in ["weak_rsa", "p384"] {
        let setup = Setup::new(set(&[key(ignored), key("rsa")]));
        assert_eq!(setup.verify("rs256_without_kid").await.unwrap(), usual_claims(), "{ignored}");
    }
}

#[tokio::test]
async fn what_is_no_key_set_makes_no_decision() {
    for document in ["", "null", "[]", "{}", r#"{"keys":{}}"#, "<html>", r#"{"keys":[]"#] {
        let setup = Setup::new(document.as_bytes().to_vec());
        assert!(is_unavailable(&setup.verify("rs256").await), "{document}");
    }
    assert!(is_invalid(&Setup::new(set(&[])).verify("rs256").await), "an empty set is a set");
}

#[tokio::test]
async fn nothing_is_fetched_for_what_cannot_verify() {
    let setup = Setup::new(usual_set());
    let long = format!("{}{}", token("rs256"), "A".repeat(8192));
    for refused in
        ["", "a.b.c", "nora_abc_def", &token("none"), &token("hs256"), &token("ps256"), &token("rs256_critical"), &long]
    {
        assert!(is_invalid(&setup.verifier.verify(refused).await), "{refused}");
    }
    setup.assert_fetches(0);
}
