//! Logging in.

use nora_provider_sdk::{Outcome, Rejection, Unreachable, Verdict};
use nora_provider_testkit::{Dialed, LoopbackContext};

use crate::frames::{array, boolean, error, good, object, text};
use crate::server::{Manners, PASSWORD, Server, USER, test};

const EXCHANGE: [&str; 4] = ["hello", "saslStart", "saslContinue", "connectionStatus"];

fn uri(password: &str) -> String {
    format!("mongodb://{USER}:{password}@db.example.com:28000/?authSource=users")
}

async fn outcome(manners: Manners) -> Outcome {
    test(&LoopbackContext::to(Server::start(manners).await.address), &uri(PASSWORD)).await
}

#[tokio::test]
async fn a_password_that_is_right_is_verified() {
    let server = Server::start(Manners::default()).await;
    let context = LoopbackContext::to(server.address);
    let outcome = test(&context, &uri(PASSWORD)).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.account.unwrap().as_str(), "app@admin");
    assert_eq!(outcome.advice, None);
    assert_eq!(context.dialed(), [Dialed { host: "db.example.com".to_owned(), port: 28000 }]);
    assert_eq!(context.secured(), [""; 0]);
    assert_eq!(server.names(), EXCHANGE);
    let commands = server.commands();
    let says = |at: usize, part: &[u8]| commands[at].windows(part.len()).any(|window| window == part);
    assert!(says(0, b"\x02saslSupportedMechs\0\x0a\0\0\0users.app\0"));
    assert!(says(1, b"\x02$db\0\x06\0\0\0users\0"), "the login goes to the database that knows the user");
    assert!(says(3, b"\x02$db\0\x06\0\0\0admin\0"));
    assert!(!(0..4).any(|at| says(at, PASSWORD.as_bytes())), "the password is never sent");
}

#[tokio::test]
async fn a_password_that_is_wrong_is_rejected() {
    for uri in [uri("canary-passwort"), uri(PASSWORD).replace(USER, "canary-nobody")] {
        let server = Server::start(Manners::default()).await;
        let outcome = test(&LoopbackContext::to(server.address), &uri).await;
        assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth), "{uri}");
        assert!(!server.names().contains(&"connectionStatus".to_owned()));
    }
}

#[tokio::test]
async fn an_old_server_gets_its_empty_message() {
    let server = Server::start(Manners { old: true, ..Manners::default() }).await;
    let outcome = test(&LoopbackContext::to(server.address), &uri(PASSWORD)).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(server.names(), ["hello", "saslStart", "saslContinue", "saslContinue", "connectionStatus"]);
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_not_believed() {
    let outcome = outcome(Manners { impostor: true, ..Manners::default() }).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::UpstreamError));
    assert!(outcome.advice.unwrap().contains("does not know the user's password"));
}

#[tokio::test]
async fn a_server_that_lets_anybody_in_proves_nothing() {
    let nobody = good(vec![object("authInfo", &[array("authenticatedUsers", &[])])]);
    let outcome = outcome(Manners { instead: vec![("connectionStatus", nobody)], ..Manners::default() }).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::UpstreamError));
    let done = good(vec![crate::frames::int("conversationId", 1), boolean("done", true)]);
    for command in ["saslStart", "saslContinue"] {
        let manners = Manners { instead: vec![(command, done.clone())], ..Manners::default() };
        assert_eq!(self::outcome(manners).await.verdict, Verdict::Unreachable(Unreachable::UpstreamError));
    }
}

#[tokio::test]
async fn the_mechanism_is_one_the_user_has() {
    let hello = good(vec![array("saslSupportedMechs", &[text("0", "SCRAM-SHA-1")])]);
    let unoffered = outcome(Manners { instead: vec![("hello", hello)], ..Manners::default() }).await;
    assert_eq!(unoffered.verdict, Verdict::Unverifiable);
    assert!(unoffered.advice.unwrap().contains("SCRAM-SHA-256"));
    for hello in [error(59), good(Vec::new())] {
        let outcome = outcome(Manners { instead: vec![("hello", hello)], ..Manners::default() }).await;
        assert_eq!(outcome.verdict, Verdict::Verified);
    }
    let server = Server::start(Manners::default()).await;
    let named = format!("{}&authMechanism=SCRAM-SHA-256", uri(PASSWORD));
    assert_eq!(test(&LoopbackContext::to(server.address), &named).await.verdict, Verdict::Verified);
    assert_eq!(server.names(), EXCHANGE[1..]);
}

#[tokio::test]
async fn an_account_that_repeats_the_password_is_not_shown() {
    let user = object("0", &[text("user", &format!("app {PASSWORD}")), text("db", "admin")]);
    let status = good(vec![object("authInfo", &[array("authenticatedUsers", &[user])])]);
    let outcome = outcome(Manners { instead: vec![("connectionStatus", status)], ..Manners::default() }).await;
    assert_eq!((outcome.verdict, outcome.account), (Verdict::Verified, None));
}

#[tokio::test]
async fn without_a_user_everybody_must_be_let_in() {
    let open = Manners { instead: vec![("listDatabases", good(vec![array("databases", &[])]))], ..Manners::default() };
    let server = Server::start(open).await;
    let outcome = test(&LoopbackContext::to(server.address), "mongodb://db.example.com").await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert!(outcome.advice.unwrap().contains("no credential was proved"));
    assert_eq!(server.names(), ["listDatabases"]);
    let closed = Manners { instead: vec![("listDatabases", error(13))], ..Manners::default() };
    let context = LoopbackContext::to(Server::start(closed).await.address);
    let outcome = test(&context, "mongodb://db.example.com").await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth));
    assert!(outcome.advice.unwrap().contains("names no user"));
}

#[tokio::test]
async fn what_cannot_be_tried_is_not_sent() {
    let context = LoopbackContext::failing(nora_provider_sdk::NetworkError::Dns);
    for (uri, advice) in [
        ("mongodb+srv://app:canary@cluster.example.com/", "only DNS knows"),
        ("mongodb://app:canary@a.example.com,b.example.com/", "names several"),
        ("mongodb://app:canary@a.example.com/?authMechanism=PLAIN", "SCRAM-SHA-256 alone"),
        ("mongodb://app:can%ary@a.example.com/", "percent-encoded"),
    ] {
        let outcome = test(&context, uri).await;
        assert_eq!(outcome.verdict, Verdict::Unverifiable, "{uri}");
        assert!(outcome.advice.unwrap().contains(advice), "{uri}");
    }
    assert_eq!(context.dialed(), []);
}

#[tokio::test]
async fn no_login_goes_in_the_clear_where_the_guard_forbids_it() {
    let server = Server::start(Manners::default()).await;
    let context = LoopbackContext::to(server.address).never_in_the_clear();
    let outcome = test(&context, &uri(PASSWORD)).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::BlockedAddress));
    assert!(outcome.advice.unwrap().contains("--allow-network"));
    assert!(server.names().is_empty());
}
