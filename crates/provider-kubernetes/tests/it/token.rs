//! The token on the wire.

use nora_provider_sdk::{Connection, Outcome, Verdict};
use nora_provider_testkit::{Dialed, LoopbackContext, Reply, Service};
use serde_json::{Value, json};

const TOKEN: &str = "example-token-0123456789";

fn review(user: &str) -> Reply {
    let body = json!({ "kind": "SelfSubjectReview", "status": { "userInfo": { "username": user } } });
    Reply::json(201, body.to_string())
}

async fn test(context: &LoopbackContext) -> Outcome {
    let provider = nora_provider_kubernetes::provider().unwrap();
    let (config, secrets) = provider.manifest().split(provider.manifest().example().unwrap());
    provider.test(&Connection::new(provider.manifest(), &config, &secrets), context).await
}

#[tokio::test]
async fn the_token_is_sent_to_the_server_of_its_context() {
    let service = Service::start([], review("nora")).await;
    let context = LoopbackContext::to_service(&service);
    assert_eq!(test(&context).await.verdict, Verdict::Verified);
    assert_eq!(context.dialed(), [Dialed { host: "kubernetes.acme.example".to_owned(), port: 6443 }]);
    let received = &service.received()[0];
    assert_eq!(received.header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
    let body: Value = serde_json::from_slice(&received.body).unwrap();
    assert_eq!(body, json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" }));
}

#[tokio::test]
async fn a_server_that_repeats_the_token_does_not_make_it_shown() {
    let service = Service::start([], review(&format!("user {TOKEN}"))).await;
    let outcome = test(&LoopbackContext::to_service(&service)).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.account, None);
    assert!(!format!("{outcome:?}").contains(TOKEN));
}
