//! Paths and methods: what is no route, and what a route does not take.

use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;
use actix_web::test::TestRequest;
use nora_http_api::{LIMITS, openapi_json};
use serde_json::Value;

use crate::support::{Bench, Broken, Parts, request, with_token};

const AGENT: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

fn paths() -> Vec<(String, Vec<String>)> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let methods = |item: Value| item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
    paths.into_iter().map(|(path, item)| (path, methods(item))).collect()
}

#[actix_web::test]
async fn every_path_says_which_methods_it_takes() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let methods = ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X-Y"];
    for (path, taken) in paths() {
        let filled = ["{id}", "{iid}", "{cid}", "{eid}", "{channelId}"]
            .into_iter()
            .fold(path.replace("{catalogId}", "slack"), |path, name| path.replace(name, AGENT));
        for method in methods.iter().filter(|method| !taken.iter().any(|taken| taken == *method)) {
            for request in [request(method, &filled), with_token(request(method, &filled), &admin)] {
                let answer = bench.send(request).await;
                assert_eq!(answer.problem(), (405, "method_not_allowed".to_owned()), "{method} {path}");
                let mut allowed: Vec<&str> = answer.header("allow").unwrap().split(", ").collect();
                allowed.retain(|method| *method != "HEAD");
                allowed.sort_unstable();
                assert_eq!(allowed, taken, "{method} {path}");
            }
        }
    }
}

#[actix_web::test]
async fn what_is_no_route_is_not_found_with_and_without_a_token() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let unknown = [
        "/",
        "/api",
        "/api/",
        "/metrics",
        "/api/agents/",
        "//api/agents",
        "/api//agents",
        &format!("/agents/{AGENT}/integrations"),
        &format!("//agents/{AGENT}/integrations"),
        &format!("/api/agents/{AGENT}/integrations/"),
        &format!("/api/webhooks/%2e%2e/agents/{AGENT}/integrations"),
        &format!("/api/webhooks%2f..%2fagents/{AGENT}/integrations"),
        &format!("/api/agents/{AGENT};x=/webhooks/y/integrations"),
        &format!("/api/x/../agents/{AGENT}/integrations"),
        "/docs/",
        "/docs/other.js",
        "/docs/../api/agents",
        "/health",
    ];
    for path in unknown {
        for request in [request("GET", path), with_token(request("GET", path), &admin)] {
            assert_eq!(bench.send(request).await.problem(), (404, "not_found".to_owned()), "{path}");
        }
    }
}

#[actix_web::test]
async fn a_path_id_is_a_hyphenated_uuid_or_nothing() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let ids = [
        "00000000-0000-0000-0000-000000000000",
        "-1",
        "1",
        "%00",
        "null",
        "a1b2c3d4e5f67890abcdef1234567890",
        "%7Ba1b2c3d4-e5f6-7890-abcd-ef1234567890%7D",
        "urn:uuid:a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890%00",
        "a1b2c3d4-e5f6-7890-abcd-ef123456789g",
        "%F0%9F%A6%80",
        "%ff",
        "..%2f..%2fetc%2fpasswd",
        "' OR 1=1--".replace(' ', "%20").as_str(),
    ]
    .map(str::to_owned);
    for id in ids {
        for (path, code) in [
            (format!("/api/agents/{id}"), "agent_not_found"),
            (format!("/api/agents/{id}/device-key"), "agent_not_found"),
            (format!("/api/agents/{id}/sync"), "agent_not_found"),
            (format!("/api/agents/{id}/deployment"), "agent_not_found"),
            (format!("/api/agents/{id}/mcp-servers"), "agent_not_found"),
            (format!("/api/agents/{id}/integrations"), "agent_not_found"),
            (format!("/api/agents/{AGENT}/integrations/{id}"), "integration_not_found"),
            (format!("/api/agents/{id}/integrations/{AGENT}"), "integration_not_found"),
            (format!("/api/agents/{id}/channels"), "agent_not_found"),
            (format!("/api/agents/{AGENT}/channels/{id}"), "channel_not_found"),
            (format!("/api/agents/{AGENT}/channels/{AGENT}/events/{id}"), "event_not_found"),
            (format!("/api/integrations/catalog/{id}"), "catalog_item_not_found"),
        ] {
            assert_eq!(bench.get(&admin, &path).await.problem(), (404, code.to_owned()), "{path}");
        }
        let key = bench.delete(&admin, &format!("/api/keys/{id}")).await;
        assert_eq!(key.problem(), (404, "key_not_found".to_owned()), "{id}");
    }
}

#[actix_web::test]
async fn a_version_that_is_no_7_is_an_id_like_any_other() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let body = serde_json::json!({
        "id": AGENT, "name": "The page's", "runtime": { "kind": "sidecar", "url": "http://10.0.0.1:9090" }
    });
    assert_eq!(bench.post(&admin, "/api/agents", &body).await.status, 201);
    for spelled in [AGENT.to_owned(), AGENT.to_uppercase(), AGENT.replace('-', "%2D")] {
        assert_eq!(bench.get(&admin, &format!("/api/agents/{spelled}")).await.json()["id"], AGENT, "{spelled}");
    }
}

#[actix_web::test]
async fn the_head_of_a_request_is_bounded() {
    let bench = Bench::start();
    let target = |length: usize| {
        let path = "/health/live?";
        format!("{path}{}", "x".repeat(length - path.len()))
    };
    assert_eq!(bench.send(request("GET", &target(LIMITS.target))).await.status, 200);
    let longer = bench.send(request("GET", &target(LIMITS.target + 1))).await;
    assert_eq!(longer.problem(), (414, "target_too_long".to_owned()));

    let headers = |length: usize| request("GET", "/health/live").insert_header(("X", "x".repeat(length - 1)));
    assert_eq!(bench.send(headers(LIMITS.headers)).await.status, 200);
    let larger = bench.send(headers(LIMITS.headers + 1)).await;
    assert_eq!(larger.problem(), (431, "headers_too_large".to_owned()));
}

#[actix_web::test]
async fn head_is_get_without_a_body() {
    let mut parts = Parts::new();
    parts.audit = std::sync::Arc::new(Broken::Fault);
    let bench = parts.build();
    let admin = bench.admin().await;
    for (path, status) in [
        ("/health/live", 200),
        ("/api/agents", 200),
        ("/api/integrations/catalog", 200),
        ("/api/agents/x", 404),
        ("/api/nowhere", 404),
        ("/api/audit", 500),
    ] {
        let get = bench.get(&admin, path).await;
        let head = bench.send(with_token(request("HEAD", path), &admin)).await;
        assert_eq!((get.status, head.status), (status, status), "{path}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
        assert!(head.body.is_empty() && !get.body.is_empty(), "{path}");
    }
    let answer = bench.send(request("HEAD", &format!("/api/agents/{AGENT}/integrations/test"))).await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
}

#[actix_web::test]
async fn a_target_without_a_path_is_no_route() {
    let bench = Bench::start();
    for target in ["x:443", "*"] {
        let uri: Uri = target.parse().unwrap();
        assert!(uri.path_and_query().map(PathAndQuery::as_str) != Some("/"), "{target}");
        let answer = bench.send(TestRequest::default().method("CONNECT".parse().unwrap()).uri(target)).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{target}");
    }
}
