//! Requests that are sent twice, and leases that outlive their holder.

use e2e::{Answer, Api, Installation, Runtime, Store, on_both_stores};
use reqwest::Method;
use serde_json::{Value, json};

on_both_stores!(a_repeated_request_is_answered_again, one_key_is_one_request, a_lease_of_the_dead_is_taken_over);

async fn keyed(api: &Api, path: &str, key: &str, body: &Value) -> Answer {
    api.send(Method::POST, path, &[("idempotency-key", key)], Some(body.clone())).await.unwrap()
}

async fn a_repeated_request_is_answered_again(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let place = json!({ "kind": "nora", "url": runtime.url(), "token": runtime.token() });
    let agent_body = json!({ "name": "Once", "runtime": place });
    let agent = keyed(&api, "/api/agents", "agent-1", &agent_body).await;
    let id = agent.json(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/agents/{id}/integrations");
    let body = json!({ "provider": "acme", "token": "once" });
    let first = keyed(&api, &path, "connect-1", &body).await;
    first.json(201);
    server.kill().await;

    let _server = installation.start().await;
    let again = keyed(&api, &path, "connect-1", &body).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("location"), first.header("location"));
    let agent_again = keyed(&api, "/api/agents", "agent-1", &agent_body).await;
    assert_eq!((agent_again.status, &agent_again.body), (201, &agent.body));
    assert_eq!(api.get(&path).await.json(200).as_array().unwrap().len(), 1);
    assert_eq!(api.get("/api/agents").await.json(200).as_array().unwrap().len(), 1);

    let other = json!({ "provider": "acme", "token": "other" });
    keyed(&api, &path, "connect-1", &other).await.problem(409, "idempotency_mismatch");
    runtime.wait_for_env(&[("ACME_API_TOKEN", "once")]).await;
}

async fn one_key_is_one_request(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Twins", &runtime).await;
    let path = format!("/api/agents/{agent}/integrations");

    let wrong = json!({ "provider": "acme" });
    keyed(&api, &path, "k", &wrong).await.problem(400, "token_missing");
    let body = json!({ "provider": "acme", "token": "twin" });
    let twins = futures(8, || keyed(&api, &path, "k", &body)).await;
    let made: Vec<&Answer> = twins.iter().filter(|answer| answer.status == 201).collect();
    assert!(!made.is_empty(), "a refusal is not remembered");
    assert!(made.iter().all(|answer| answer.body == made[0].body));
    for answer in twins.iter().filter(|answer| answer.status != 201) {
        answer.problem(409, "idempotency_in_progress");
    }
    assert_eq!(api.get(&path).await.json(200).as_array().unwrap().len(), 1);

    let key = json!({ "name": "k", "scopes": ["agents:read"] });
    assert_eq!(keyed(&api, "/api/keys", "k", &key).await.status, 400, "the answer of this one is never stored");
    assert_eq!(api.get("/api/keys").await.json(200).as_array().unwrap().len(), 1, "and nothing is made");
    let other = api.post("/api/keys", json!({ "name": "o", "scopes": ["integrations:write"] })).await.json(201);
    let other = api.with_token(other["key"].as_str().unwrap());
    keyed(&other, &path, "k", &body).await.problem(409, "integration_exists");
}

/// What `count` calls of `make` at once come to.
async fn futures<F: Future<Output = Answer>>(count: usize, make: impl Fn() -> F) -> Vec<Answer> {
    let mut calls: Vec<_> = (0..count).map(|_| Box::pin(make())).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        calls.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if calls.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    answers
}

async fn a_lease_of_the_dead_is_taken_over(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    runtime.handle().faults().next(e2e::faults::Route::Sync, e2e::faults::Fault::Silence);
    let agent = api.register("Leased", &runtime).await;
    e2e::eventually("a push under way", async || (runtime.handle().calls(e2e::faults::Route::Sync) == 1).then_some(()))
        .await;
    server.kill().await;

    let _server = installation.start().await;
    api.connect_acme(&agent, "default", "after").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "after")]).await;
    api.wait_in_sync(&agent).await;
}
