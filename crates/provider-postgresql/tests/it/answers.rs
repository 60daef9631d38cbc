//! What is not PostgreSQL, or no longer.

use std::net::SocketAddr;
use std::time::Duration;

use nora_provider_sdk::{NetworkError, Rejection, Unreachable, Verdict};
use nora_provider_testkit::LoopbackContext;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::cluster::test;

/// A server that reads once, sends `answer`, and then hangs up or waits.
async fn server(answer: &'static [u8], hangs_up: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(answer).await;
            while !hangs_up && stream.read(&mut [0; 1024]).await.is_ok_and(|read| read > 0) {}
        }
    });
    address
}

async fn verdict(answer: &'static [u8], hangs_up: bool, sslmode: &str) -> Verdict {
    let context = LoopbackContext::to(server(answer, hangs_up).await).within(Duration::from_millis(400));
    test(&context, "app", "orders", "canary-password", sslmode).await.verdict
}

#[tokio::test]
async fn another_protocol_is_no_answer() {
    for answer in
        [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b"220 smtp.example ESMTP\r\n", b"\xff\xff\xff\xff\xff\xff"]
    {
        for sslmode in ["disable", "prefer", "require"] {
            let expected = Verdict::Unreachable(Unreachable::UpstreamError);
            assert_eq!(verdict(answer, true, sslmode).await, expected, "{answer:?} {sslmode}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_is_a_refusal_of_the_network() {
    for sslmode in ["disable", "prefer", "require"] {
        assert_eq!(verdict(b"", true, sslmode).await, Verdict::Unreachable(Unreachable::Refused), "{sslmode}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_until_the_deadline() {
    for (answer, sslmode) in [(b"".as_slice(), "disable"), (b"", "prefer"), (b"N", "prefer")] {
        let found = verdict(answer, false, sslmode).await;
        assert_eq!(found, Verdict::Unreachable(Unreachable::Timeout), "{answer:?} {sslmode}");
    }
}

/// An error of the protocol: a length, and fields of a letter and a text each.
fn error_response(fields: &[&str]) -> &'static [u8] {
    let fields = [fields.join("\0"), "\0".to_owned()].concat();
    let length = u32::try_from(fields.len() + 5).unwrap();
    [b"E", &length.to_be_bytes()[..], fields.as_bytes(), b"\0"].concat().leak()
}

#[tokio::test]
async fn the_servers_errors_are_classes_and_never_its_words() {
    for (code, expected, advice) in [
        ("57P03", Verdict::Unreachable(Unreachable::UpstreamError), "starting up"),
        ("53300", Verdict::Unreachable(Unreachable::UpstreamError), "no connection free"),
        ("XX000", Verdict::Unreachable(Unreachable::UpstreamError), ""),
        ("28000", Verdict::Rejected(Rejection::Auth), "pg_hba.conf"),
        ("3D000", Verdict::Rejected(Rejection::NotFound), "no database"),
        ("42501", Verdict::Rejected(Rejection::Scope), ""),
    ] {
        let answer = error_response(&["SFATAL", &format!("C{code}"), "Mthe password canary-pass is wrong"]);
        let context = LoopbackContext::to(server(answer, true).await);
        let outcome = test(&context, "app", "orders", "canary-pass", "disable").await;
        assert_eq!(outcome.verdict, expected, "{code}");
        assert!(outcome.advice.unwrap_or_default().contains(advice), "{code}");
    }
}

#[tokio::test]
async fn a_host_that_is_not_reached_says_why() {
    for (error, expected) in [
        (NetworkError::Dns, Unreachable::Dns),
        (NetworkError::BlockedAddress, Unreachable::BlockedAddress),
        (NetworkError::Refused, Unreachable::Refused),
    ] {
        let outcome = test(&LoopbackContext::failing(error), "app", "orders", "canary-password", "prefer").await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(expected));
    }
}
