//! The public URLs that third parties post to.

use std::sync::Arc;
use std::time::Duration;

use actix_web::test::TestRequest;
use async_trait::async_trait;
use nora_http_api::LIMITS;
use nora_webhooks::ports::{Appended, Intake, IntakeError, NewEvent};
use prometheus_client::encoding::text::encode;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, Parts, Server, exchange, request};

/// A body, and its HMAC-SHA256 under `SECRET`, made with Python's `hmac`.
pub(crate) const BODY: &str = r#"{"event":"push"}"#;
pub(crate) const SECRET: &str = "webhook-secret-of-24-random-bytes";
pub(crate) const SIGNATURE: &str = "cd81a54d13abe04b74aadc66a85bb6260e25bc8ddd590910452638e94e579534";
/// The same under `OTHER_SECRET`.
pub(crate) const OTHER_SECRET: &str = "another-secret-of-24-random-bytes";
pub(crate) const OTHER_SIGNATURE: &str = "967661268fa66136f3bc25ffa06f34d11dd38084892b3d62f78a1d65a2444066";

const NOBODYS: &str = "/api/webhooks/00000000-0000-7000-8000-000000000000";

/// Makes a channel; returns its path in the API and its public path.
pub(crate) async fn channel(bench: &Bench, token: &str, body: &Value) -> (String, String) {
    let agent = bench.agent(token).await;
    let answer = bench.post(token, &format!("{agent}/channels"), body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    (format!("{agent}/channels/{id}"), format!("/api/webhooks/{id}"))
}

pub(crate) fn keyed() -> Value {
    json!({ "type": "webhook", "config": { "signing_secret": SECRET } })
}

pub(crate) fn open() -> Value {
    json!({ "type": "webhook", "verification": "none" })
}

fn signed(url: &str, signature: &str) -> TestRequest {
    request("POST", url).insert_header(("X-Webhook-Signature", signature)).set_payload(BODY)
}

async fn events(bench: &Bench, token: &str, channel: &str) -> Vec<Value> {
    bench.get(token, &format!("{channel}/events")).await.json().as_array().unwrap().clone()
}

fn accepted(answer: &Answer) -> bool {
    answer.status == 200 && answer.json() == json!({ "received": true })
}

#[actix_web::test]
async fn what_is_signed_is_kept_and_what_is_not_is_refused() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (channel, url) = channel(&bench, &admin, &keyed()).await;
    assert!(accepted(&bench.send(signed(&url, SIGNATURE)).await));
    let flipped = format!("d{}", &SIGNATURE[1..]);
    for forged in [
        signed(&url, &flipped),
        signed(&url, ""),
        signed(&url, SIGNATURE).append_header(("X-Webhook-Signature", SIGNATURE)),
        signed(&url, &"a".repeat(5000)),
        request("POST", &url).set_payload(BODY),
        signed(&url, SIGNATURE).set_payload(r#"{"event":"pull"}"#),
    ] {
        assert_eq!(bench.send(forged).await.problem(), (400, "webhook_refused".to_owned()));
    }
    let kept = events(&bench, &admin, &channel).await;
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!((&kept[0]["verdict"], &kept[0]["state"]), (&json!("verified"), &json!("pending")));
}

#[actix_web::test]
async fn nobody_learns_which_channels_there_are() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (channel, url) = channel(&bench, &admin, &open()).await;
    assert!(accepted(&bench.send(request("POST", &url).set_payload(BODY)).await));
    assert_eq!(bench.patch(&admin, &channel, &json!({ "enabled": false })).await.status, 200);
    let unknown = bench.send(request("POST", NOBODYS).set_payload(BODY)).await;
    assert_eq!(unknown.problem(), (400, "webhook_refused".to_owned()));
    for (method, path) in [("POST", url.as_str()), ("POST", "/api/webhooks/x"), ("GET", &url), ("GET", NOBODYS)] {
        let answer = bench.send(request(method, path).set_payload(BODY)).await;
        assert_eq!(answer.without_request_id(), unknown.without_request_id(), "{method} {path}");
    }
    assert_eq!(bench.send(request("HEAD", NOBODYS)).await.status, 400);
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answers = [bench.send(request(method, &url)).await, bench.send(request(method, NOBODYS)).await];
        assert!(answers.iter().all(|answer| answer.problem().0 == 405), "{answers:?}");
    }

    assert_eq!(bench.patch(&admin, &channel, &json!({ "enabled": true })).await.status, 200);
    assert!(accepted(&bench.send(request("POST", &url).set_payload(BODY)).await), "a change counts at once");
    assert_eq!(bench.delete(&admin, &channel).await.status, 200);
    assert_eq!(
        bench.send(request("POST", &url).set_payload(BODY)).await.without_request_id(),
        unknown.without_request_id()
    );
}

#[actix_web::test]
async fn bodies_are_bounded_and_taken_as_they_are() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (channel, url) = channel(&bench, &admin, &open()).await;
    let limit = 1024 * 1024;
    let json_of = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    assert!(accepted(&bench.send(request("POST", &url).set_payload(json_of(limit))).await));
    for path in [url.as_str(), NOBODYS] {
        let larger = bench.send(request("POST", path).set_payload(json_of(limit + 1))).await;
        assert_eq!(larger.problem(), (413, "body_too_large".to_owned()), "{path}");
        let encoded = request("POST", path).insert_header(("Content-Encoding", "gzip")).set_payload(BODY);
        assert_eq!(bench.send(encoded).await.problem(), (415, "content_encoding_unsupported".to_owned()), "{path}");
    }
    for refused in ["", "{", "nonsense"] {
        let answer = bench.send(request("POST", &url).set_payload(refused)).await;
        assert_eq!(answer.problem(), (400, "webhook_refused".to_owned()), "{refused}");
    }
    let odd = "  {\"b\" : 1.0,\n\"a\":\"\\u0000\"}\r\n";
    assert!(accepted(&bench.send(request("POST", &url).set_payload(odd)).await));
    let newest = &events(&bench, &admin, &channel).await[0];
    let detail = bench.get(&admin, &format!("{channel}/events/{}", newest["id"].as_str().unwrap())).await.json();
    assert_eq!(detail["body"], "ICB7ImIiIDogMS4wLAoiYSI6Ilx1MDAwMCJ9DQo=", "byte for byte");
}

#[actix_web::test]
async fn a_slow_body_is_cut_off() {
    let mut parts = Parts::new();
    parts.limits = nora_http_api::Limits { body_deadline: Duration::from_millis(50), ..LIMITS };
    let bench = parts.build();
    let server = Server::start(&bench.api);
    let head = format!("POST {NOBODYS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{{");
    let answer = exchange(&server, head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[actix_web::test]
async fn a_channel_takes_its_rate_and_no_more() {
    let mut parts = Parts::new();
    parts.webhook_rate = 1;
    let bench = parts.build();
    let admin = bench.admin().await;
    let (_, url) = channel(&bench, &admin, &open()).await;
    for _ in 0..5 {
        assert!(accepted(&bench.send(request("POST", &url).set_payload(BODY)).await));
    }
    let answer = bench.send(request("POST", &url).set_payload(BODY)).await;
    assert_eq!((answer.problem(), answer.header("retry-after")), ((429, "too_many_requests".to_owned()), Some("1")));
    bench.clock.advance(Duration::from_secs(1));
    assert!(accepted(&bench.send(request("POST", &url).set_payload(BODY)).await));
}

/// An inbox that is too slow for what comes in, or away.
struct Failing(fn() -> IntakeError);

#[async_trait]
impl Intake for Failing {
    async fn keep(&self, _: NewEvent) -> Result<Appended, IntakeError> {
        Err((self.0)())
    }
}

#[actix_web::test]
async fn what_cannot_be_kept_is_never_accepted() {
    for error in [|| IntakeError::Busy, || IntakeError::Unavailable(nora_kernel::Unavailable::transient("away"))] {
        let mut parts = Parts::new();
        parts.intake = Arc::new(Failing(error));
        let bench = parts.build();
        let admin = bench.admin().await;
        let (_, url) = channel(&bench, &admin, &open()).await;
        let answer = bench.send(request("POST", &url).set_payload(BODY)).await;
        assert_eq!((answer.problem(), answer.header("retry-after")), ((503, "unavailable".to_owned()), Some("1")));
    }
}

#[actix_web::test]
async fn no_more_is_held_in_memory_than_may_be() {
    let mut parts = Parts::new();
    parts.limits = nora_http_api::Limits { webhook_memory: 16, ..LIMITS };
    let bench = parts.build();
    let admin = bench.admin().await;
    let (_, url) = channel(&bench, &admin, &open()).await;
    assert!(accepted(&bench.send(request("POST", &url).set_payload(BODY)).await), "{}", BODY.len());
    let answer = bench.send(request("POST", &url).set_payload(format!("{BODY} "))).await;
    assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
    assert!(accepted(&bench.send(request("POST", &url).set_payload(BODY)).await), "what was held is let go");
}

#[actix_web::test]
async fn each_type_answers_as_its_protocol_demands() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let body = json!({ "type": "forge", "config": { "signing_secret": SECRET } });
    let (channel, url) = channel(&bench, &admin, &body).await;
    let post = |signature: &str, delivery: &str| {
        let request = request("POST", &url).insert_header(("X-Forge-Signature", signature));
        request.insert_header(("X-Forge-Delivery", delivery)).insert_header(("X-Forge-Event", "push")).set_payload(BODY)
    };
    assert_eq!(bench.send(post(OTHER_SIGNATURE, "1")).await.problem(), (401, "webhook_refused".to_owned()));
    assert_eq!(bench.send(post(SIGNATURE, "1")).await.status, 202);
    assert_eq!(bench.send(post(SIGNATURE, "1")).await.status, 202, "a repeated delivery is answered like the first");
    assert_eq!(bench.send(post(SIGNATURE, "2")).await.status, 202);
    let kept = events(&bench, &admin, &channel).await;
    let ids: Vec<&str> = kept.iter().map(|event| event["delivery_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["2", "1"]);
    assert_eq!(kept[0]["event_type"], "push");

    assert_eq!(bench.send(request("HEAD", &url)).await.status, 200);
    let echoed = bench.send(request("GET", &format!("{url}?challenge=abc.DEF-1~2"))).await;
    assert_eq!((echoed.status, echoed.text().as_str()), (200, "abc.DEF-1~2"));
    assert!(echoed.header("content-type").unwrap().starts_with("text/plain"));
    for reflected in ["%3Cscript%3E", "a%20b", &"x".repeat(513)] {
        let answer = bench.send(request("GET", &format!("{url}?challenge={reflected}"))).await;
        assert_eq!(answer.problem(), (400, "webhook_refused".to_owned()), "{reflected}");
    }
    assert_eq!(bench.send(request("GET", &url)).await.status, 400);
}

#[actix_web::test]
async fn a_handshake_brings_the_secret_once_and_within_an_hour() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (channel, url) = channel(&bench, &admin, &json!({ "type": "forge", "verification": "handshake" })).await;
    let signed = || request("POST", &url).insert_header(("X-Forge-Signature", SIGNATURE)).set_payload(BODY);
    let handshake = |secret: &str| request("POST", &url).insert_header(("X-Forge-Secret", secret)).set_payload("{}");
    assert_eq!(bench.send(signed()).await.status, 400, "nothing else is taken before");
    let answer = bench.send(handshake(SECRET)).await;
    assert_eq!((answer.status, answer.header("x-forge-secret")), (200, Some(SECRET)), "{answer:?}");
    assert_ne!(bench.send(handshake(OTHER_SECRET)).await.status, 200, "there is one");
    assert_eq!(bench.send(signed()).await.status, 202);
    let record = bench.get(&admin, &channel).await;
    assert_eq!(record.json()["verification"], "secret");
    assert!(!record.text().contains(SECRET));

    let late = json!({ "type": "forge", "verification": "handshake" });
    let (_, url) = self::channel(&bench, &admin, &late).await;
    bench.clock.advance(Duration::from_hours(1));
    let handshake = request("POST", &url).insert_header(("X-Forge-Secret", SECRET)).set_payload("{}");
    assert_eq!(bench.send(handshake).await.code(), "webhook_refused");
}

#[actix_web::test]
async fn what_comes_in_is_counted_by_type_and_reason() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (_, url) = channel(&bench, &admin, &keyed()).await;
    bench.send(signed(&url, SIGNATURE)).await;
    bench.send(signed(&url, OTHER_SIGNATURE)).await;
    bench.send(request("POST", NOBODYS).set_payload(BODY)).await;
    let mut text = String::new();
    encode(&mut text, &bench.registry).unwrap();
    for line in [
        r#"webhooks_accepted_total{type="webhook",duplicate="false"} 1"#,
        r#"webhooks_refused_total{reason="mismatch"} 1"#,
        r#"webhooks_refused_total{reason="no_channel"} 1"#,
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}
