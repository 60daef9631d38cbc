//! Requests and answers.

use nora_kernel::Secret;
use nora_provider_sdk::{Method, NetworkError, Request};
use url::Url;

use crate::support::{answering, echo, egress, egress_to, noon};

fn url(address: impl std::fmt::Display) -> Url {
    format!("http://{address}/v1/me?key=value").parse().unwrap()
}

#[tokio::test]
async fn a_request_arrives_as_it_was_written() {
    let context = egress().context();
    let request = Request {
        method: Method::Post,
        body: Some(Secret::new(r#"{"query":"{ viewer { id } }"}"#.to_owned())),
        ..Request::get(url(echo().await)).header("Authorization", "Bearer hunter2").header("X-Api-Version", "2")
    };
    let response = context.http().send(request).await.unwrap();
    let seen = String::from_utf8(response.body.to_vec()).unwrap();
    assert!(seen.starts_with("POST /v1/me?key=value HTTP/1.1\r\n"), "{seen}");
    for line in ["authorization: Bearer hunter2", "x-api-version: 2", "accept-encoding: identity", "content-length: 29"]
    {
        assert!(seen.contains(&format!("{line}\r\n")), "{line} is not in {seen}");
    }
    assert!(seen.ends_with("\r\n\r\n{\"query\":\"{ viewer { id } }\"}"), "{seen}");
    assert!(seen.contains(concat!("user-agent: nora/", env!("CARGO_PKG_VERSION"), "\r\n")), "{seen}");
    assert_eq!((response.status, response.header("x-seen")), (200, Some("yes")));
}

#[tokio::test]
async fn a_provider_may_name_itself() {
    let context = egress().context();
    let request = Request::get(url(echo().await)).header("User-Agent", "nora-github");
    let response = context.http().send(request).await.unwrap();
    let seen = String::from_utf8(response.body.to_vec()).unwrap();
    assert_eq!(seen.matches("user-agent: ").count(), 1, "{seen}");
    assert!(seen.contains("user-agent: nora-github\r\n"), "{seen}");
}

#[tokio::test]
async fn a_header_that_would_break_the_line_is_not_sent() {
    let address = echo().await;
    for (name, value) in [("X-Token", "a\r\nHost: evil.test"), ("X-Token", "a\0b"), ("bad name", "a"), ("", "a")] {
        let context = egress().context();
        let answer = context.http().send(Request::get(url(address)).header(name, value)).await;
        assert_eq!(answer.err(), Some(NetworkError::Protocol), "{name}: {value:?}");
    }
}

#[tokio::test]
async fn answers_have_a_cap_and_are_not_decompressed() {
    let sized = |length: usize| format!("HTTP/1.1 500 Oops\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(length));
    let context = egress().context();
    let whole = context.http().send(Request::get(url(answering(sized(65_536)).await))).await.unwrap();
    assert_eq!((whole.status, whole.body.len()), (500, 65_536));
    let larger = context.http().send(Request::get(url(answering(sized(65_537)).await))).await;
    assert_eq!(larger.err(), Some(NetworkError::TooLarge));
    let zipped = answering("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\n\u{1f}zip").await;
    assert_eq!(&context.http().send(Request::get(url(zipped))).await.unwrap().body[..], b"\x1fzip");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_the_credential_goes_nowhere_else() {
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = elsewhere.local_addr().unwrap();
    let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://{location}/\r\ncontent-length: 0\r\n\r\n");
    let context = egress().context();
    let request = Request::get(url(answering(redirect).await)).header("Authorization", "Bearer hunter2");
    assert_eq!(context.http().send(request).await.unwrap().status, 302);
    let followed = tokio::time::timeout(std::time::Duration::ZERO, elsewhere.accept()).await;
    assert!(followed.is_err(), "somebody followed the redirect");
}

#[tokio::test]
async fn the_guard_stands_in_front() {
    let context = egress_to("", &[]).context();
    let refused = context.http().send(Request::get(url("127.0.0.1:8080"))).await;
    assert_eq!(refused.err(), Some(NetworkError::BlockedAddress));
    let refused = context.http().send(Request::get("https://api.example.com/".parse().unwrap())).await;
    assert_eq!(refused.err(), Some(NetworkError::BlockedAddress), "the name leads to this machine");
}

#[tokio::test]
async fn a_context_tells_the_time_it_was_given() {
    assert_eq!(egress().context().clock().now(), noon());
}
