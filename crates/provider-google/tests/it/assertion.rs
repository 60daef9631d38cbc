//! The assertion, as Google would verify it.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_provider_testkit::{LoopbackContext, Received, Reply, Service};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::{Value, json};

use crate::support::{KEY, key_with, test};

/// The modulus in RFC 7515, appendix A.2.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT\
                       -SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQ\
                       OS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj\
                       8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

/// The time of the tests' context.
const NOW: i64 = 1_795_424_400;

async fn exchanged(id: &str, entered: &[(&str, &str)]) -> Received {
    let service = Service::start([], Reply::json(500, "{}")).await;
    let context = LoopbackContext::to_service(&service);
    test(id, entered, &context).await;
    assert_eq!(context.dialed()[0].host, "oauth2.googleapis.com");
    service.received()[0].clone()
}

/// Header and claims of an assertion whose signature was verified.
fn verified(received: &Received) -> (Value, Value) {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&received.body).into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (signed, signature) = form["assertion"].rsplit_once('.').unwrap();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let key = RsaPublicKeyComponents { n: decode(MODULUS), e: vec![1, 0, 1] };
    key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &decode(signature)).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    (serde_json::from_slice(&decode(header)).unwrap(), serde_json::from_slice(&decode(claims)).unwrap())
}

#[tokio::test]
async fn the_key_signs_who_wants_what_and_until_when() {
    let received = exchanged("gcp", &[]).await;
    assert_eq!((received.method.as_str(), received.target.as_str()), ("POST", "/token"));
    assert_eq!(received.header("content-type"), Some("application/x-www-form-urlencoded"));
    let (header, claims) = verified(&received);
    let kid = "0123456789abcdef0123456789abcdef01234567";
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT", "kid": kid }));
    let expected = json!({
        "iss": "nora@acme-prod.iam.gserviceaccount.com",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "aud": "https://oauth2.googleapis.com/token",
        "iat": NOW,
        "exp": NOW + 3600,
    });
    assert_eq!(claims, expected);
}

#[tokio::test]
async fn a_key_without_an_id_names_none() {
    let key = key_with("private_key_id", Value::Null);
    let (header, _) = verified(&exchanged("firebase", &[(KEY, &key)]).await);
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT" }));
}

#[tokio::test]
async fn a_user_it_acts_for_is_the_subject() {
    for id in ["google-sheets", "google-calendar", "google-drive"] {
        let (_, claims) = verified(&exchanged(id, &[("delegated_user", "ada@acme.example")]).await);
        assert_eq!(claims["sub"], "ada@acme.example");
        assert_eq!(claims["iss"], "nora@acme-prod.iam.gserviceaccount.com");
    }
}

#[tokio::test]
async fn each_service_has_its_scope() {
    for (id, expected) in [
        ("google-sheets", "https://www.googleapis.com/auth/spreadsheets"),
        ("google-calendar", "https://www.googleapis.com/auth/calendar"),
        ("google-drive", "https://www.googleapis.com/auth/drive"),
        ("google-analytics", "https://www.googleapis.com/auth/analytics.readonly"),
        ("firebase", "https://www.googleapis.com/auth/firebase https://www.googleapis.com/auth/cloud-platform"),
    ] {
        assert_eq!(verified(&exchanged(id, &[]).await).1["scope"], expected);
    }
}
