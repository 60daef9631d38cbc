//! What servers say that those of the tests do not.

use std::net::SocketAddr;
use std::time::Duration;

use nora_provider_sdk::{NetworkError, Outcome, Rejection, Unreachable, Verdict};
use nora_provider_testkit::{Authority, LoopbackContext};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::server::test;

const PASSWORD: &str = "canary-password";

const DOWN: Verdict = Verdict::Unreachable(Unreachable::UpstreamError);
const REFUSED: Verdict = Verdict::Rejected(Rejection::Auth);

const HELLO: &str = "220 smtp.example.com\r\n";
const PLAIN: &str = "250-smtp.example.com\r\n250-SIZE 1\r\n250 AUTH PLAIN LOGIN\r\n";
const OLD_LOGIN: &str = "250-smtp.example.com\r\n250 auth=LOGIN CRAM-MD5\r\n";

/// A server that says the first answer at once, each other after a line, and hangs up. It returns the lines.
async fn server(answers: &[&str]) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers: Vec<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
    let heard = tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        let mut heard = Vec::new();
        for (index, answer) in answers.iter().enumerate() {
            if index > 0 {
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                heard.push(line);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heard
    });
    (address, heard)
}

async fn outcome(answers: &[&str]) -> Outcome {
    let (address, _) = server(answers).await;
    test(&LoopbackContext::to(address), "ada", PASSWORD, json!({ "security": "none" })).await
}

#[tokio::test]
async fn codes_are_classes_and_never_the_servers_words() {
    for (answer, expected, advice) in [
        ("535 5.7.8 canary-password is wrong\r\n", REFUSED, "app password"),
        ("534 5.7.9 Application-specific password required\r\n", REFUSED, "app password"),
        ("530 5.7.0 Must issue a STARTTLS command first\r\n", REFUSED, "wants TLS"),
        ("538 5.7.11 Encryption required\r\n", REFUSED, "wants TLS"),
        ("504 5.5.4 Unrecognized authentication type\r\n", REFUSED, ""),
        ("525 5.7.13 User account disabled\r\n", REFUSED, ""),
        ("454 4.7.0 Temporary authentication failure\r\n", DOWN, "cannot check the login now"),
        ("421 4.3.2 Service not available\r\n", DOWN, "no connections"),
        ("451 4.3.0 Try again\r\n", DOWN, ""),
        ("550 5.7.1 No\r\n", DOWN, ""),
        ("250 OK\r\n", DOWN, ""),
    ] {
        let outcome = outcome(&[HELLO, PLAIN, answer]).await;
        assert_eq!(outcome.verdict, expected, "{answer}");
        assert!(outcome.advice.unwrap_or_default().contains(advice), "{answer}");
    }
}

#[tokio::test]
async fn a_refusal_before_the_login_is_no_rejection() {
    for answers in [["554 No SMTP service here\r\n"].as_slice(), &[HELLO, "502 What?\r\n"], &["421 Full\r\n"]] {
        assert_eq!(outcome(answers).await.verdict, DOWN, "{answers:?}");
    }
}

#[tokio::test]
async fn nothing_is_said_but_what_is_needed() {
    let accepted = "235 2.7.0 Accepted\r\n";
    let plain = "AUTH PLAIN AGFkYQBjYW5hcnktcGFzc3dvcmQ=\r\n";
    for (answers, login) in [
        ([HELLO, PLAIN, accepted, "250 OK\r\n", "221 Bye\r\n"].as_slice(), [plain].as_slice()),
        (
            &[HELLO, PLAIN, "334 \r\n", accepted, "250 OK\r\n", "221 Bye\r\n"],
            &[plain, "AGFkYQBjYW5hcnktcGFzc3dvcmQ=\r\n"],
        ),
        (
            &[HELLO, OLD_LOGIN, "334 VXNlcm5hbWU6\r\n", "334\r\n", accepted, "250 OK\r\n", "221 Bye\r\n"],
            &["AUTH LOGIN\r\n", "YWRh\r\n", "Y2FuYXJ5LXBhc3N3b3Jk\r\n"],
        ),
    ] {
        let (address, heard) = server(answers).await;
        let config = json!({ "security": "none" });
        let outcome = test(&LoopbackContext::to(address), "ada", PASSWORD, config).await;
        assert_eq!(outcome.verdict, Verdict::Verified);
        let expected = [["EHLO [127.0.0.1]\r\n"].as_slice(), login, &["NOOP\r\n", "QUIT\r\n"]].concat();
        assert_eq!(heard.await.unwrap(), expected);
    }
}

/// Not even control characters, which no connection is stored with.
#[tokio::test]
async fn nothing_can_be_slipped_into_the_session() {
    let (address, heard) = server(&[HELLO, PLAIN, "535 No\r\n"]).await;
    let evil = "x\r\nMAIL FROM:<ada@example.com>\r\n";
    test(&LoopbackContext::to(address), evil, evil, json!({ "security": "none" })).await;
    let heard = heard.await.unwrap();
    assert_eq!(heard.len(), 2);
    assert!(heard[1].starts_with("AUTH PLAIN ") && heard[1].matches(['\r', '\n']).count() == 2);
}

#[tokio::test]
async fn one_token_as_user_and_password_is_not_shown() {
    let (address, _) = server(&[HELLO, PLAIN, "235 OK\r\n", "250 OK\r\n", "221 Bye\r\n"]).await;
    let outcome = test(&LoopbackContext::to(address), PASSWORD, PASSWORD, json!({ "security": "none" })).await;
    assert_eq!((outcome.verdict, outcome.account), (Verdict::Verified, None));
}

#[tokio::test]
async fn a_server_that_knows_no_passwords_is_told_none() {
    let (address, heard) = server(&[HELLO, "250-smtp.example.com\r\n250 AUTH XOAUTH2\r\n"]).await;
    let outcome = test(&LoopbackContext::to(address), "ada", PASSWORD, json!({ "security": "none" })).await;
    assert_eq!(outcome.verdict, Verdict::Unverifiable);
    assert_eq!(heard.await.unwrap().len(), 1);
}

/// Commands that somebody on the way adds in the clear must not count as answers given over TLS.
#[tokio::test]
async fn what_was_said_before_tls_does_not_count() {
    let early = "220 Go ahead\r\n250 AUTH PLAIN\r\n";
    let (address, _) = server(&[HELLO, "250-smtp.example.com\r\n250 STARTTLS\r\n", early]).await;
    let context = LoopbackContext::to(address).trusting(&Authority::new());
    let outcome = test(&context, "ada", PASSWORD, json!({})).await;
    assert_eq!(outcome.verdict, DOWN);
    assert!(context.secured().is_empty());
}

#[tokio::test]
async fn a_refused_starttls_ends_the_test() {
    let (address, heard) =
        server(&[HELLO, "250-smtp.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", "454 No\r\n"]).await;
    let outcome = test(&LoopbackContext::to(address), "ada", PASSWORD, json!({})).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls));
    assert_eq!(heard.await.unwrap(), ["EHLO [127.0.0.1]\r\n", "STARTTLS\r\n"]);
}

#[tokio::test]
async fn another_protocol_is_no_answer() {
    let endless_line = "220 ".to_owned() + &"x".repeat(100_000);
    let endless_reply = "220-more\r\n".repeat(10_000);
    for answer in [
        "SSH-2.0-OpenSSH_9\r\n",
        "+OK POP3\r\n",
        "220-a\r\n221 b\r\n",
        "22\r\n",
        "220_\r\n",
        "999 x\r\n",
        &endless_line,
        &endless_reply,
    ] {
        let outcome = outcome(&[answer]).await;
        assert_eq!(outcome.verdict, DOWN, "{answer:.20}");
        assert!(outcome.advice.unwrap().contains("Check the host and the port"), "{answer:.20}");
    }
}

#[tokio::test]
async fn a_connection_that_ends_is_a_refusal_of_the_network() {
    for answers in [[""].as_slice(), &[HELLO, ""], &[HELLO, PLAIN, ""], &[HELLO, PLAIN, "235 OK\r\n", ""]] {
        assert_eq!(outcome(answers).await.verdict, Verdict::Unreachable(Unreachable::Refused), "{answers:?}");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_until_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let context = LoopbackContext::to(listener.local_addr().unwrap()).within(Duration::from_millis(300));
    let outcome = test(&context, "ada", PASSWORD, json!({})).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Timeout));
}

#[tokio::test]
async fn a_host_that_is_not_reached_says_why() {
    for (error, expected) in [
        (NetworkError::Dns, Unreachable::Dns),
        (NetworkError::BlockedAddress, Unreachable::BlockedAddress),
        (NetworkError::Refused, Unreachable::Refused),
    ] {
        let outcome = test(&LoopbackContext::failing(error), "ada", PASSWORD, json!({})).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(expected));
    }
}
