//! Bodies: what is read, what is refused, and what is said about it.

use std::time::Duration;

use actix_web::test::TestRequest;
use nora_http_api::LIMITS;
use nora_kernel::Scope;
use serde_json::{Value, json};

use crate::support::{Answer, Bench, Parts, Server, raw_json, request, slack_body, with_token};

/// Sends a body to the route that connects an agent.
async fn connect(bench: &Bench, token: &str, agent: &str, body: impl Into<Vec<u8>>) -> Answer {
    let target = request("POST", &format!("{agent}/integrations"));
    bench.send(with_token(raw_json(target, body), token)).await
}

async fn bench_with_agent() -> (Bench, String, String) {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    (bench, admin, agent)
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!("{}1{}", open.repeat(depth), close.repeat(depth))
}

#[actix_web::test]
async fn hostile_bodies_are_refused_and_change_nothing() {
    let (bench, admin, agent) = bench_with_agent().await;
    let slack = |rest: &str| format!(r#"{{"provider":"slack",{rest}}}"#);
    let keys: String = (0..30_000).fold(String::new(), |keys, number| keys + "\"k" + &number.to_string() + "\":1,");
    let cases: Vec<(&str, String, u16, &str)> = vec![
        ("null", "null".into(), 400, "body_invalid"),
        ("an array", "[]".into(), 400, "body_invalid"),
        ("truncated", r#"{"provider":"slack""#.into(), 400, "json_malformed"),
        ("trailing text", r#"{"provider":"slack"} x"#.into(), 400, "json_malformed"),
        ("upper case", r#"{"provider":"Slack"}"#.into(), 400, "provider_unknown"),
        ("spaces", r#"{"provider":" slack "}"#.into(), 400, "provider_unknown"),
        ("sql", r#"{"provider":"slack'; DROP TABLE integrations;--"}"#.into(), 400, "provider_unknown"),
        ("duplicate", r#"{"provider":"slack","provider":"forge","token":"t"}"#.into(), 400, "json_malformed"),
        ("deep duplicate", slack(r#""token":"t","config":{"a":[{"b":1,"b":1}]}"#), 400, "json_malformed"),
        ("token an object", slack(r#""token":{"$ne":null}"#), 400, "body_invalid"),
        ("token with CRLF", slack(r#""token":"a\r\nX-Evil: 1""#), 400, "config_invalid"),
        ("token with CR", slack(r#""token":"a\rb""#), 400, "config_invalid"),
        ("token with NUL", slack(r#""token":"a\u0000b""#), 400, "config_invalid"),
        ("lone surrogate", slack(r#""token":"t","config":{"channel":"\ud800"}"#), 400, "json_malformed"),
        ("infinite number", slack(r#""token":"t","config":{"n":1e400}"#), 400, "json_malformed"),
        ("long number", slack(r#""token":"t","config":{"n":123456789012345678901234567890}"#), 400, "config_invalid"),
        ("config an array", slack(r#""token":"t","config":[]"#), 400, "body_invalid"),
        ("config a string", slack(r#""token":"t","config":"{}""#), 400, "body_invalid"),
        ("token in config", slack(r#""token":"t","config":{"token":"SECRET_IN_CONFIG"}"#), 400, "config_invalid"),
        ("comment", r#"{/**/"provider":"slack"}"#.into(), 400, "json_malformed"),
        ("depth 120", slack(&format!(r#""config":{}"#, nested("{\"a\":", "}", 120))), 400, "json_malformed"),
        ("depth 10,000", slack(&format!(r#""config":{}"#, nested("[", "]", 10_000))), 400, "json_malformed"),
        ("depth 500,000", slack(&format!(r#""config":{}"#, nested("[", "]", 500_000))), 413, "body_too_large"),
        ("30,000 keys", slack(&format!(r#""config":{{{keys}"z":1}}"#)), 413, "body_too_large"),
        ("not UTF-8 escapes", slack(r#""token":"\x41""#), 400, "json_malformed"),
        ("no provider", "{}".into(), 400, "provider_missing"),
        ("empty provider", r#"{"provider":""}"#.into(), 400, "provider_missing"),
        ("null provider", r#"{"provider":null}"#.into(), 400, "provider_missing"),
        ("provider a number", r#"{"provider":7}"#.into(), 400, "body_invalid"),
        ("disabled provider", r#"{"provider":"retired","token":"t"}"#.into(), 400, "provider_disabled"),
        ("no token", r#"{"provider":"slack"}"#.into(), 400, "token_missing"),
        ("empty token", slack(r#""token":"""#), 400, "token_missing"),
        ("label with a space", slack(r#""token":"t","label":"a b""#), 400, "body_invalid"),
    ];
    for (name, body, status, code) in cases {
        let answer = connect(&bench, &admin, &agent, body).await;
        assert_eq!(answer.problem(), (status, code.to_owned()), "{name}");
        assert!(!answer.text().contains("SECRET_IN_CONFIG"), "{name}");
    }
    let list = bench.get(&admin, &format!("{agent}/integrations")).await;
    assert_eq!(list.json(), json!([]));
    let sound = connect(&bench, &admin, &agent, slack(r#""token":"  xoxb-1  ","note":"ignored""#)).await;
    assert_eq!(sound.status, 201, "unknown members are ignored, and tokens taken as they come: {sound:?}");
}

#[actix_web::test]
async fn bytes_that_are_no_text_are_no_json() {
    let (bench, admin, agent) = bench_with_agent().await;
    for body in [&b"\xff\xfe"[..], b"{\"provider\":\"\xff\"}", b"\xef\xbb\xbf{}", b"\0", b" \n ", b"{\"a\":\"\x01\"}"] {
        assert_eq!(connect(&bench, &admin, &agent, body).await.problem(), (400, "json_malformed".to_owned()));
    }
    let empty = with_token(request("POST", &format!("{agent}/integrations")), &admin);
    let answer = bench.send(empty).await;
    assert_eq!(answer.problem(), (400, "json_malformed".to_owned()));
    assert!(answer.text().contains("empty"));
}

#[actix_web::test]
async fn a_complaint_points_at_its_place() {
    let (bench, admin, agent) = bench_with_agent().await;
    let check = async |path: &str, body: Value, pointers: &[&str]| {
        let answer = bench.post(&admin, path, &body).await;
        assert_eq!((answer.status, answer.pointers().as_slice()), (400, pointers.map_owned().as_slice()), "{answer:?}");
    };
    let integrations = format!("{agent}/integrations");
    check(
        &integrations,
        json!({ "provider": 1, "token": [], "config": "x", "label": "A" }),
        &["/provider", "/token", "/config", "/label"],
    )
    .await;
    check("/api/agents", json!({}), &["/name", "/runtime"]).await;
    check(
        "/api/agents",
        json!({ "name": "", "runtime": { "kind": "x", "url": 1 }, "gateway": {}, "id": "1" }),
        &["/name", "/runtime/kind", "/runtime/url", "/gateway/url", "/gateway/token", "/id"],
    )
    .await;
    check(
        "/api/keys",
        json!({ "name": "x", "scopes": ["keys:read", "x", 1], "expires_at": "soon" }),
        &["/scopes/1", "/scopes/2", "/expires_at"],
    )
    .await;
    check(
        &integrations,
        json!({ "provider": "forge", "config": { "base_url": "https://forge.example" } }),
        &["/config/user", "/token"],
    )
    .await;
    let twice = connect(&bench, &admin, &agent, r#"{"config":{"a":[0,{"b/c":1,"b/c":2}]}}"#).await;
    assert_eq!(twice.pointers(), ["/config/a/1/b~1c"]);
    let root = connect(&bench, &admin, &agent, "[]").await;
    assert_eq!(root.pointers(), [""]);
}

/// Texts as a problem has them.
trait Owned {
    fn map_owned(&self) -> Vec<String>;
}

impl Owned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[actix_web::test]
async fn depth_64_is_read_and_65_is_not() {
    let (bench, admin, agent) = bench_with_agent().await;
    // The body itself is the first level.
    let body = |depth: usize| format!(r#"{{"provider":"nothing","x":{}}}"#, nested("[", "]", depth - 1));
    let deep = connect(&bench, &admin, &agent, body(LIMITS.json_depth)).await;
    assert_eq!(deep.problem(), (400, "provider_unknown".to_owned()));
    let deeper = connect(&bench, &admin, &agent, body(LIMITS.json_depth + 1)).await;
    assert_eq!(deeper.problem(), (400, "json_malformed".to_owned()));
}

/// A request to connect that fills exactly `length` bytes.
fn sized(length: usize) -> Vec<u8> {
    let mut body = br#"{"provider":"nothing","padding":""#.to_vec();
    body.resize(length - 2, b'x');
    body.extend_from_slice(b"\"}");
    body
}

#[actix_web::test]
async fn a_body_may_fill_its_limit_and_no_more() {
    let (bench, admin, agent) = bench_with_agent().await;
    for length in [LIMITS.body - 1, LIMITS.body] {
        let answer = connect(&bench, &admin, &agent, sized(length)).await;
        assert_eq!(answer.problem(), (400, "provider_unknown".to_owned()), "{length}");
    }
    let answer = connect(&bench, &admin, &agent, sized(LIMITS.body + 1)).await;
    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
}

#[actix_web::test]
async fn a_chunked_body_has_the_same_limit() {
    let (bench, admin, agent) = bench_with_agent().await;
    let server = Server::start(&bench.api);
    for (length, status) in [(LIMITS.body, "400"), (LIMITS.body + 1, "413")] {
        let mut bytes = head(&agent, &admin, "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
        for chunk in sized(length).chunks(10_000) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        let answer = crate::support::exchange(&server, &bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{length}: {answer}");
    }
}

/// The head of a request that connects an agent, on a connection for it alone.
fn head(agent: &str, token: &str, headers: &str) -> Vec<u8> {
    let request = format!("POST {agent}/integrations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    format!("{request}Authorization: Bearer {token}\r\n{headers}\r\n").into_bytes()
}

#[actix_web::test]
async fn an_announced_length_is_refused_before_anything_is_sent() {
    let (bench, admin, agent) = bench_with_agent().await;
    let server = Server::start(&bench.api);
    let headers = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", LIMITS.body + 1);
    let answer = crate::support::exchange(&server, &head(&agent, &admin, &headers)).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
}

/// The body is announced and never sent: whoever waited for it would wait for ever.
#[actix_web::test]
async fn a_body_is_not_read_for_somebody_who_may_not_send_it() {
    let (bench, admin, agent) = bench_with_agent().await;
    let reader = bench.token(&[Scope::IntegrationsRead]).await;
    let server = Server::start(&bench.api);
    let headers = format!("Content-Type: text/plain\r\nContent-Length: {}\r\n", LIMITS.body + 1);
    for (token, expected) in [("nobody", "401"), (&reader, "403"), (&admin, "415")] {
        let answer = crate::support::exchange(&server, &head(&agent, token, &headers)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected} ")), "{answer}");
    }
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut parts = Parts::new();
    parts.limits.body_deadline = Duration::from_millis(50);
    let bench = parts.build();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let server = Server::start(&bench.api);
    let mut bytes = head(&agent, &admin, "Content-Type: application/json\r\nContent-Length: 100\r\n");
    bytes.extend_from_slice(br#"{"provider""#);
    let answer = crate::support::exchange(&server, &bytes).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_timeout"), "{answer}");
}

#[actix_web::test]
async fn only_plain_json_is_a_body() {
    let (bench, admin, agent) = bench_with_agent().await;
    let send = async |headers: &[(&'static str, &'static str)]| {
        let mut target = request("POST", &format!("{agent}/integrations")).set_payload(slack_body().to_string());
        for header in headers {
            target = target.append_header(*header);
        }
        bench.send(with_token(target, &admin)).await
    };
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/xml",
        "application/json; charset=utf-16",
        "multipart/form-data; boundary=x",
    ] {
        let answer = send(&[("Content-Type", content_type)]).await;
        assert_eq!(answer.problem(), (415, "content_type_unsupported".to_owned()), "{content_type}");
    }
    assert_eq!(send(&[]).await.problem(), (415, "content_type_unsupported".to_owned()));
    for encoding in ["gzip", "br", "deflate", "identity, gzip", "x"] {
        let answer = send(&[("Content-Type", "application/json"), ("Content-Encoding", encoding)]).await;
        assert_eq!(answer.problem(), (415, "content_encoding_unsupported".to_owned()), "{encoding}");
    }
    let plain = [("Content-Type", "application/json; charset=utf-8"), ("Content-Encoding", "identity")];
    assert_eq!(send(&plain).await.status, 201);
}

#[actix_web::test]
async fn a_route_that_takes_no_body_ignores_one() {
    let (bench, admin, agent) = bench_with_agent().await;
    let integration = bench.slack(&admin, &agent).await;
    let tested = TestRequest::post().uri(&format!("{integration}/test")).set_payload("not json");
    assert_eq!(bench.send(with_token(tested, &admin)).await.json()["success"], true);
    let synced = TestRequest::post().uri(&format!("{agent}/sync")).set_payload("\0");
    assert_eq!(bench.send(with_token(synced, &admin)).await.status, 202);
}
