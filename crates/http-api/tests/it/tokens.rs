//! Tokens that are none, and what they learn: nothing.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::test::TestRequest;
use nora_kernel::{Clock as _, Scope, Scopes};

use crate::support::{Bench, Broken, Parts, request};

fn list() -> TestRequest {
    request("GET", "/api/agents")
}

fn with_header(value: &[u8]) -> TestRequest {
    list().append_header((AUTHORIZATION, HeaderValue::from_bytes(value).unwrap()))
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_token_the_answer_is_the_same() {
    let bench = Bench::start();
    let admin = Scopes::NONE.with(Scope::Admin);
    let (id, key) = bench.add_key("default", admin, None).await;
    let (_, other) = bench.add_key("default", admin, None).await;
    let (_, expired) = bench.add_key("default", admin, Some(bench.clock.now())).await;
    let swapped = format!("{}{}", &key[..18], &other[18..]);
    let hostile: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"Bearer".to_vec(),
        b"Bearer    ".to_vec(),
        format!("Bearer {key} {key}").into_bytes(),
        b"Bearer nora_".to_vec(),
        format!("Bearer {}", &key[..17]).into_bytes(),
        format!("Bearer {swapped}").into_bytes(),
        "Bearer ｎｏｒａ_x".as_bytes().to_vec(),
        b"Bearer ' OR 1=1--".to_vec(),
        b"Bearer eyJhbGciOiJub25lIn0.e30.".to_vec(),
        format!("Basic {key}").into_bytes(),
        format!("Bearer {expired}").into_bytes(),
        format!("Bearer {id}").into_bytes(),
        format!("Bearer {key}=").into_bytes(),
    ];
    let expected = bench.send(list()).await.without_request_id();
    for value in hostile {
        let answer = bench.send(with_header(&value)).await;
        assert_eq!(answer.status, 401, "{}", String::from_utf8_lossy(&value));
        assert_eq!(answer.without_request_id(), expected, "{}", String::from_utf8_lossy(&value));
    }
    let good = format!("Bearer {key}");
    let twice = with_header(good.as_bytes()).append_header((AUTHORIZATION, good.clone()));
    assert_eq!(bench.send(twice).await.without_request_id(), expected);
    assert_eq!(bench.send(with_header(good.as_bytes())).await.status, 200);
}

#[actix_web::test]
async fn a_key_expires_and_is_revoked() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let expiry = bench.clock.now().after(Duration::from_mins(5));
    let (_, short) = bench.add_key("default", Scopes::NONE.with(Scope::AgentsRead), Some(expiry)).await;
    let (id, key) = bench.add_key("default", Scopes::NONE.with(Scope::AgentsRead), None).await;
    assert_eq!(bench.get(&short, "/api/agents").await.status, 200);
    assert_eq!(bench.get(&key, "/api/agents").await.status, 200);
    assert_eq!(bench.delete(&admin, &format!("/api/keys/{id}")).await.status, 200);
    assert_eq!(bench.get(&key, "/api/agents").await.status, 401, "from the next request on");
    bench.clock.advance(Duration::from_mins(5));
    assert_eq!(bench.get(&short, "/api/agents").await.status, 401);
}

#[actix_web::test]
async fn a_store_that_cannot_be_asked_refuses_nobody() {
    for (broken, status, code) in [(Broken::Transient, 503, "unavailable"), (Broken::Fault, 500, "internal")] {
        let mut parts = Parts::new();
        parts.keys = Arc::new(broken);
        let bench = parts.build();
        let token = bench.admin().await;
        let answer = bench.get(&token, "/api/agents").await;
        assert_eq!(answer.problem(), (status, code.to_owned()));
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
        assert!(!answer.text().contains(Broken::CAUSE));
    }
}

#[actix_web::test]
async fn a_header_that_overrides_the_method_has_no_effect() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let disguised = request("GET", &agent)
        .insert_header(("X-HTTP-Method-Override", "DELETE"))
        .insert_header((AUTHORIZATION, format!("Bearer {admin}")));
    assert_eq!(bench.send(disguised).await.json()["name"], "Agent");
    assert_eq!(bench.get(&admin, &agent).await.status, 200, "it is still there");
}
