//! What is sent.

use nora_provider_sdk::{Provider, Verdict};
use nora_provider_testkit::{LoopbackContext, Received, Reply, Service};

use crate::support::{Entered, aws, both, s3, test};

const SECRET: &str = "canary-secret-access-key-0123456789abcd";
const TOKEN: &str = "canary-session-token-0123456789";

async fn sent(provider: &dyn Provider, entered: Entered<'_>) -> Received {
    let service = Service::start([], Reply::json(500, "{}")).await;
    test(provider, entered, &LoopbackContext::to_service(&service)).await;
    service.received()[0].clone()
}

fn text(received: &Received) -> String {
    format!("{} {:?} {}", received.target, received.headers, String::from_utf8_lossy(&received.body))
}

#[tokio::test]
async fn the_secret_signs_and_is_not_sent() {
    for provider in both() {
        let received = sent(provider.as_ref(), &[("secret_access_key", SECRET)]).await;
        assert!(!text(&received).contains(SECRET));
        let authorization = received.header("authorization").unwrap();
        assert!(authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261123/eu-central-1/"));
        assert_eq!(received.header("x-amz-date"), Some("20261123T090000Z"));
        let other = sent(provider.as_ref(), &[("secret_access_key", "another")]).await;
        assert_ne!(other.header("authorization"), Some(authorization), "the secret decides the signature");
    }
}

#[tokio::test]
async fn the_session_token_is_signed() {
    for provider in both() {
        let received = sent(provider.as_ref(), &[("session_token", TOKEN)]).await;
        assert_eq!(received.header("x-amz-security-token"), Some(TOKEN));
        let authorization = received.header("authorization").unwrap();
        assert!(authorization.contains("x-amz-date;x-amz-security-token, Signature="), "{authorization}");
        assert_eq!(text(&received).matches(TOKEN).count(), 1);
        let without = sent(provider.as_ref(), &[]).await;
        assert_eq!(without.header("x-amz-security-token"), None);
    }
}

#[tokio::test]
async fn aws_is_asked_who_signed() {
    let received = sent(&*aws(), &[]).await;
    assert_eq!(received.method, "POST");
    assert_eq!(received.body, b"Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(received.header("accept"), Some("application/json"));
    assert_eq!(received.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[tokio::test]
async fn s3_is_told_the_hash_of_nothing() {
    let received = sent(&*s3(), &[]).await;
    assert_eq!(received.method, "GET");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(received.header("x-amz-content-sha256"), Some(empty));
}

/// A region that a service made up is not repeated, and neither is an account that is no more than the secret.
#[tokio::test]
async fn nothing_a_service_says_is_shown_as_it_is() {
    let redirect = r"<Error><Code>PermanentRedirect</Code><Region>canary-region-1</Region></Error>";
    let arn = format!(r#"{{"GetCallerIdentityResponse": {{"GetCallerIdentityResult": {{"Arn": "arn:{SECRET}"}}}}}}"#);
    let answers = [Reply::json(301, redirect).header("x-amz-bucket-region", "canary-region-1"), Reply::json(200, arn)];
    let service = Service::start(answers, Reply::Hangup).await;
    let context = LoopbackContext::to_service(&service);
    let outcome = test(&*s3(), &[], &context).await;
    assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    let outcome = test(&*aws(), &[("secret_access_key", SECRET)], &context).await;
    assert_eq!((outcome.verdict, outcome.account), (Verdict::Verified, None));
}
