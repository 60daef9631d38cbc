//! Errors of the server, and what is not MongoDB, or no longer.

use std::net::SocketAddr;
use std::time::Duration;

use nora_provider_sdk::{NetworkError, Outcome, Rejection, Unreachable, Verdict};
use nora_provider_testkit::LoopbackContext;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::frames::{error, good, reply};
use crate::server::{Manners, Server, test};

const URI: &str = "mongodb://app:canary-password@db.example.com/";

async fn outcome(manners: Manners) -> Outcome {
    let context = LoopbackContext::to(Server::start(manners).await.address).within(Duration::from_millis(500));
    test(&context, URI).await
}

#[tokio::test]
async fn the_servers_errors_are_classes_and_never_its_words() {
    const AUTH: Verdict = Verdict::Rejected(Rejection::Auth);
    const SCOPE: Verdict = Verdict::Rejected(Rejection::Scope);
    const FAULT: Verdict = Verdict::Unreachable(Unreachable::UpstreamError);
    for (command, code, expected, advice) in [
        ("saslStart", 18, AUTH, ""),
        ("saslStart", 11, AUTH, ""),
        ("saslContinue", 8000, AUTH, ""),
        ("saslStart", 13, SCOPE, ""),
        ("connectionStatus", 13, SCOPE, "does not let it"),
        ("connectionStatus", 8000, SCOPE, ""),
        ("saslStart", 334, Verdict::Unverifiable, "SCRAM-SHA-256"),
        ("saslStart", 91, FAULT, "shutting down"),
        ("connectionStatus", 11600, FAULT, "shutting down"),
        ("saslContinue", 1, FAULT, ""),
    ] {
        let outcome = outcome(Manners { instead: vec![(command, error(code))], ..Manners::default() }).await;
        assert_eq!(outcome.verdict, expected, "{command} {code}");
        assert!(outcome.advice.unwrap_or_default().contains(advice), "{command} {code}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_or_says_nothing() {
    for command in ["hello", "saslStart", "saslContinue", "connectionStatus"] {
        let cut = outcome(Manners { hangs_up_at: Some(command), ..Manners::default() }).await;
        assert_eq!(cut.verdict, Verdict::Unreachable(Unreachable::Refused), "{command}");
        assert!(cut.advice.unwrap().contains("tls=true"));
        let silent = outcome(Manners { silent_at: Some(command), ..Manners::default() }).await;
        assert_eq!(silent.verdict, Verdict::Unreachable(Unreachable::Timeout), "{command}");
    }
}

/// A server that reads once, sends `answer`, and hangs up.
async fn server(answer: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(&answer).await;
        }
    });
    address
}

#[tokio::test]
async fn another_protocol_is_no_answer() {
    let whole = reply(1, &good(Vec::new()));
    let changed = |at: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[at] = byte;
        bytes
    };
    for (what, answer) in [
        ("HTTP", b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("a length below the header's", changed(0, 15)),
        ("a length that is huge", changed(3, 0x7f)),
        ("a length that is negative", changed(3, 0xff)),
        ("the answer to another message", changed(8, 9)),
        ("OP_REPLY", reply_of_old()),
        ("a checksum", changed(16, 1)),
        ("more to come", changed(16, 2)),
        ("a section of another kind", changed(20, 1)),
        ("a document of another length", changed(21, 5)),
    ] {
        let context = LoopbackContext::to(server(answer).await);
        let outcome = test(&context, URI).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::UpstreamError), "{what}");
        assert!(outcome.advice.unwrap().contains("does not speak"), "{what}");
    }
}

/// What servers before 3.6 answer with.
fn reply_of_old() -> Vec<u8> {
    let numbers = [36, 7, 1, 1].into_iter().flat_map(i32::to_le_bytes);
    numbers.chain([0; 20]).collect()
}

#[tokio::test]
async fn a_host_that_is_not_reached_says_why() {
    for (error, expected) in [
        (NetworkError::Dns, Unreachable::Dns),
        (NetworkError::BlockedAddress, Unreachable::BlockedAddress),
        (NetworkError::Refused, Unreachable::Refused),
    ] {
        let outcome = test(&LoopbackContext::failing(error), URI).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(expected));
    }
}
