//! Logging in.

use nora_provider_sdk::{Rejection, Unreachable, Verdict};
use nora_provider_testkit::{Dialed, LoopbackContext};
use serde_json::json;

use crate::server::{PASSWORD, Server, test};

#[tokio::test]
async fn the_servers_password_is_verified() {
    let server = Server::given();
    let context = LoopbackContext::to(server.address);
    for username in ["default", ""] {
        let outcome = test(&context, &server.password, json!({ "username": username, "tls": false })).await;
        assert_eq!(outcome.verdict, Verdict::Verified);
        assert_eq!(outcome.account.unwrap().as_str(), "default");
        assert_eq!(outcome.advice, None);
    }
    assert_eq!(context.dialed()[0], Dialed { host: "cache.example.com".to_owned(), port: 6380 });
    assert!(context.secured().is_empty());
}

#[tokio::test]
async fn a_user_with_a_password_is_verified() {
    let server = Server::given();
    server.user("nora-verified", "+@all").await;
    let outcome = server.test(PASSWORD, json!({ "username": "nora-verified", "db": 3 })).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.account.unwrap().as_str(), "nora-verified");
}

#[tokio::test]
async fn a_wrong_password_is_rejected() {
    let server = Server::given();
    server.user("nora-wrong", "+@all").await;
    for config in [json!({}), json!({ "username": "nora-wrong" }), json!({ "username": "nora-nobody" })] {
        let outcome = server.test("not-the-password", config.clone()).await;
        assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth), "{config}");
    }
}

#[tokio::test]
async fn no_password_is_not_enough() {
    let server = Server::given();
    server.user("nora-unsaid", "+@all").await;
    let outcome = server.test("", json!({})).await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth));
    assert!(outcome.advice.unwrap().contains("asks for a password"));
    let outcome = server.test("", json!({ "username": "nora-unsaid" })).await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth));
}

#[tokio::test]
async fn what_an_acl_forbids_is_out_of_scope() {
    let server = Server::given();
    server.user("nora-mute", "+@all -ping").await;
    server.user("nora-bound", "+@all -select").await;
    for config in [json!({ "username": "nora-mute" }), json!({ "username": "nora-bound", "db": 1 })] {
        let outcome = server.test(PASSWORD, config.clone()).await;
        assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Scope), "{config}");
        assert!(outcome.advice.unwrap().contains("ACL"));
    }
}

#[tokio::test]
async fn a_user_who_may_not_ask_its_name_is_verified_under_it() {
    let server = Server::given();
    server.user("nora-modest", "+ping").await;
    let outcome = server.test(PASSWORD, json!({ "username": "nora-modest" })).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.account.unwrap().as_str(), "nora-modest");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_not_found() {
    let server = Server::given();
    for db in [16, 2_147_483_647] {
        let outcome = server.test(&server.password, json!({ "db": db })).await;
        assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::NotFound), "{db}");
        assert!(outcome.advice.unwrap().contains("no database"));
    }
}

#[tokio::test]
async fn no_password_goes_in_the_clear_where_the_guard_forbids_it() {
    let server = Server::given();
    let context = LoopbackContext::to(server.address).never_in_the_clear();
    let outcome = test(&context, &server.password, json!({ "tls": false })).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::BlockedAddress));
    assert!(outcome.advice.unwrap().contains("--allow-network"));
    let outcome = test(&context, "", json!({ "tls": false })).await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth), "there was none to send");
}
