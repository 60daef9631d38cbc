//! Logging in.

use nora_provider_sdk::{Outcome, Rejection, Unreachable, Verdict};
use nora_provider_testkit::{Dialed, LoopbackContext};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::cluster::{Guest, PASSWORD, test};

async fn outcome(guest: &Guest, database: &str, password: &str) -> Outcome {
    test(&LoopbackContext::to(guest.address()), &guest.name, database, password, "prefer").await
}

#[tokio::test]
async fn a_password_that_is_right_is_verified() {
    let guest = Guest::arrive("right").await;
    let context = LoopbackContext::to(guest.address());
    for sslmode in ["disable", "prefer"] {
        let outcome = test(&context, &guest.name, &guest.name, PASSWORD, sslmode).await;
        assert_eq!(outcome.verdict, Verdict::Verified, "{sslmode}");
        let account = format!("{0} in {0}", guest.name);
        assert_eq!(outcome.account.unwrap().as_str(), account);
    }
    assert_eq!(context.dialed()[0], Dialed { host: "db.example.com".to_owned(), port: 6432 });
    guest.leave().await;
}

#[tokio::test]
async fn a_password_that_is_wrong_is_rejected() {
    let guest = Guest::arrive("wrong").await;
    assert_eq!(outcome(&guest, &guest.name, "not-the-password").await.verdict, Verdict::Rejected(Rejection::Auth));
    let stranger = test(&LoopbackContext::to(guest.address()), "nobody_here", &guest.name, PASSWORD, "disable").await;
    assert_eq!(stranger.verdict, Verdict::Rejected(Rejection::Auth));
    guest.leave().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_found() {
    let guest = Guest::arrive("lost").await;
    let outcome = outcome(&guest, "nora_no_such_database", PASSWORD).await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::NotFound));
    assert!(outcome.advice.unwrap().contains("no database"));
    guest.leave().await;
}

#[tokio::test]
async fn a_database_one_may_not_enter_is_out_of_scope() {
    let guest = Guest::arrive("shut").await;
    guest.run(&format!("REVOKE CONNECT ON DATABASE {} FROM PUBLIC", guest.name)).await;
    assert_eq!(outcome(&guest, &guest.name, PASSWORD).await.verdict, Verdict::Rejected(Rejection::Scope));
    guest.leave().await;
}

#[tokio::test]
async fn a_full_server_is_unreachable() {
    let guest = Guest::arrive("full").await;
    guest.run(&format!("ALTER ROLE {} CONNECTION LIMIT 0", guest.name)).await;
    let outcome = outcome(&guest, &guest.name, PASSWORD).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::UpstreamError));
    assert!(outcome.advice.unwrap().contains("no connection free"));
    guest.leave().await;
}

#[tokio::test]
async fn an_old_hash_is_understood_too() {
    let guest = Guest::arrive("md5").await;
    guest.run("SET password_encryption = 'md5'").await;
    guest.run(&format!("ALTER ROLE {} PASSWORD 'ascii-password-1'", guest.name)).await;
    // The cluster asks for SCRAM, which an MD5 hash cannot answer: a refusal, and not a crash.
    assert_eq!(outcome(&guest, &guest.name, "ascii-password-1").await.verdict, Verdict::Rejected(Rejection::Auth));
    guest.leave().await;
}

/// The last thing the server hears is `Terminate`, so its log does not fill with lost connections.
#[tokio::test]
async fn the_test_says_goodbye() {
    let guest = Guest::arrive("bye").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = listener.local_addr().unwrap();
    let cluster = guest.address();
    let heard = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(cluster).await.unwrap();
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let mut heard = Vec::new();
        let listening = async {
            let mut chunk = [0; 1024];
            while let Ok(read @ 1..) = from_client.read(&mut chunk).await {
                heard.extend_from_slice(&chunk[..read]);
                to_server.write_all(&chunk[..read]).await.unwrap();
            }
        };
        let _ = tokio::join!(listening, tokio::io::copy(&mut from_server, &mut to_client));
        heard
    });
    let outcome = test(&LoopbackContext::to(relay), &guest.name, &guest.name, PASSWORD, "disable").await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert!(heard.await.unwrap().ends_with(b"X\0\0\0\x04"));
    guest.leave().await;
}
