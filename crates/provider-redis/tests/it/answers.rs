//! What servers say that the one of the tests does not.

use std::net::SocketAddr;
use std::time::Duration;

use nora_provider_sdk::{NetworkError, Outcome, Rejection, Unreachable, Verdict};
use nora_provider_testkit::LoopbackContext;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::server::test;

const PASSWORD: &str = "canary-password";

const DOWN: Verdict = Verdict::Unreachable(Unreachable::UpstreamError);

/// A server that gives these answers in turn, then hangs up. It returns what it was sent.
async fn server(answers: &[&str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        for answer in answers {
            let mut chunk = Vec::new();
            stream.read_buf(&mut chunk).await.unwrap();
            heard.push(String::from_utf8(chunk).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heard
    });
    (address, heard)
}

async fn outcome(password: &str, answers: &[&str]) -> Outcome {
    let (address, _) = server(answers).await;
    test(&LoopbackContext::to(address), password, json!({ "tls": false, "db": 1 })).await
}

#[tokio::test]
async fn a_server_without_a_password_is_verified_and_said_to_prove_nothing() {
    let outcome = outcome("", &["+PONG\r\n", "+OK\r\n", "$7\r\ndefault\r\n"]).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert!(outcome.advice.unwrap().contains("no credential was proved"));
}

#[tokio::test]
async fn a_password_for_a_server_without_one_is_rejected() {
    for error in [
        "-ERR AUTH <password> called without any password configured for the default user. Are you sure?\r\n",
        "-ERR Client sent AUTH, but no password is set\r\n",
    ] {
        let outcome = outcome(PASSWORD, &[error]).await;
        assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth));
        assert!(outcome.advice.unwrap().contains("the server has none"));
    }
}

#[tokio::test]
async fn errors_are_classes_and_never_the_servers_words() {
    for (answers, expected, advice) in [
        (["-ERR invalid password canary-password\r\n"].as_slice(), Verdict::Rejected(Rejection::Auth), ""),
        (&["-ERR wrong number of arguments for 'auth' command\r\n"], Verdict::Rejected(Rejection::Auth), "no users"),
        (&["-DENIED Redis is running in protected mode\r\n"], DOWN, "protected mode"),
        (&["-ERR max number of clients reached\r\n"], DOWN, "no connection free"),
        (&["-ERR unknown command `canary-password`\r\n"], DOWN, ""),
        (&["+OK\r\n", "-LOADING Redis is loading the dataset in memory\r\n"], DOWN, "busy"),
        (&["+OK\r\n", "-BUSY Redis is busy running a script\r\n"], DOWN, "busy"),
        (&["+OK\r\n", "-MASTERDOWN Link with MASTER is down\r\n"], DOWN, "busy"),
        (&["+OK\r\n", "-MISCONF canary-password\r\n"], DOWN, ""),
        (
            &["+OK\r\n", "+PONG\r\n", "-ERR SELECT is not allowed in cluster mode\r\n"],
            Verdict::Rejected(Rejection::NotFound),
            "no database",
        ),
        (&["+OK\r\n", "+PONG\r\n", "-ERR invalid DB index\r\n"], Verdict::Rejected(Rejection::NotFound), "no database"),
    ] {
        let outcome = outcome(PASSWORD, answers).await;
        assert_eq!(outcome.verdict, expected, "{answers:?}");
        assert!(outcome.advice.unwrap_or_default().contains(advice), "{answers:?}");
    }
}

#[tokio::test]
async fn an_old_server_and_one_that_says_too_much_are_verified_without_a_name() {
    for word in ["-ERR unknown command `ACL`\r\n", "$15\r\ncanary-password\r\n", ":1\r\n", "$3000\r\n"] {
        let outcome = outcome(PASSWORD, &["+OK\r\n", "+PONG\r\n", "+OK\r\n", word]).await;
        assert_eq!((outcome.verdict, outcome.account), (Verdict::Verified, None), "{word:?}");
    }
}

#[tokio::test]
async fn another_protocol_is_no_answer() {
    let endless = "x".repeat(100_000);
    for answer in
        ["HTTP/1.1 400 Bad Request\r\n\r\n", "220 smtp.example ESMTP\r\n", "\u{fffd}\u{fffd}\r\n", "+OK\n", &endless]
    {
        let outcome = outcome(PASSWORD, &[answer]).await;
        assert_eq!(outcome.verdict, DOWN, "{answer:.20}");
        assert!(outcome.advice.unwrap().contains("does not speak"));
    }
}

#[tokio::test]
async fn one_that_agrees_to_everything_is_not_believed() {
    assert_eq!(outcome(PASSWORD, &["+OK\r\n", "+OK\r\n", "+OK\r\n"]).await.verdict, DOWN);
}

#[tokio::test]
async fn a_connection_that_ends_is_a_refusal_of_the_network() {
    for answers in [[""].as_slice(), &["+O"], &["+OK\r\n", ""]] {
        let verdict = outcome(PASSWORD, answers).await.verdict;
        let expected = if answers == ["+O"] { DOWN } else { Verdict::Unreachable(Unreachable::Refused) };
        assert_eq!(verdict, expected, "{answers:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_until_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let context = LoopbackContext::to(listener.local_addr().unwrap()).within(Duration::from_millis(300));
    let outcome = test(&context, PASSWORD, json!({ "tls": false })).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Timeout));
}

#[tokio::test]
async fn nothing_is_asked_but_what_is_needed() {
    let (address, heard) = server(&["+OK\r\n", "+PONG\r\n", "$7\r\ndefault\r\n"]).await;
    test(&LoopbackContext::to(address), PASSWORD, json!({ "tls": false })).await;
    let expected = [
        "*2\r\n$4\r\nAUTH\r\n$15\r\ncanary-password\r\n",
        "*1\r\n$4\r\nPING\r\n",
        "*2\r\n$3\r\nACL\r\n$6\r\nWHOAMI\r\n",
    ];
    assert_eq!(heard.await.unwrap(), expected);
}

#[tokio::test]
async fn a_host_that_is_not_reached_says_why() {
    for (error, expected) in [
        (NetworkError::Dns, Unreachable::Dns),
        (NetworkError::BlockedAddress, Unreachable::BlockedAddress),
        (NetworkError::Refused, Unreachable::Refused),
    ] {
        let outcome = test(&LoopbackContext::failing(error), PASSWORD, json!({})).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(expected));
    }
}
