//! Logging in.

use nora_provider_sdk::{Rejection, Unreachable, Verdict};
use nora_provider_testkit::{Authority, Dialed, LoopbackContext};
use serde_json::json;

use crate::server::{HOST, Servers, test};

#[tokio::test]
async fn a_password_that_is_right_is_verified_with_every_kind_of_tls() {
    let servers = Servers::given();
    for (address, security, secured) in [
        (servers.starttls(), "starttls", [HOST].as_slice()),
        (servers.other("tls"), "tls", &[HOST]),
        (servers.other("plain"), "none", &[]),
        (servers.other("login"), "none", &[]),
    ] {
        let context = servers.context(address);
        let outcome = test(&context, servers.user(), servers.password(), json!({ "security": security })).await;
        assert_eq!(outcome.verdict, Verdict::Verified, "{security}");
        assert_eq!(outcome.account.unwrap().as_str(), "ada at smtp.example.com");
        assert!(outcome.advice.unwrap().contains("No mail was sent"));
        assert_eq!(context.secured(), secured, "{security}");
        assert_eq!(context.dialed(), [Dialed { host: HOST.to_owned(), port: 587 }]);
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_is_rejected() {
    let servers = Servers::given();
    for (address, security) in
        [(servers.starttls(), "starttls"), (servers.other("tls"), "tls"), (servers.other("login"), "none")]
    {
        for (user, password) in [(servers.user(), "not-the-password"), ("nobody", servers.password())] {
            let outcome = test(&servers.context(address), user, password, json!({ "security": security })).await;
            assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth), "{security}");
            assert!(outcome.advice.unwrap().contains("app password"));
        }
    }
}

/// Too long for one command, which is 512 bytes at most.
#[tokio::test]
async fn a_long_password_is_sent_on_a_line_of_its_own() {
    let servers = Servers::given();
    let context = servers.context(servers.other("plain"));
    let password = "long-password".repeat(40);
    let outcome = test(&context, servers.user(), &password, json!({ "security": "none" })).await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::Auth));
}

#[tokio::test]
async fn port_465_speaks_tls_at_once_whatever_is_set() {
    let servers = Servers::given();
    for (security, advice) in [("starttls", "Choose tls"), ("none", "Choose tls"), ("tls", "No mail was sent")] {
        let context = servers.context(servers.other("tls"));
        let config = json!({ "smtp_port": 465, "security": security });
        let outcome = test(&context, servers.user(), servers.password(), config).await;
        assert_eq!(outcome.verdict, Verdict::Verified, "{security}");
        assert!(outcome.advice.unwrap().contains(advice), "{security}");
        assert_eq!(context.secured(), [HOST]);
    }
}

#[tokio::test]
async fn a_server_without_starttls_is_not_told_the_password() {
    let servers = Servers::given();
    let context = servers.context(servers.other("plain"));
    let outcome = test(&context, servers.user(), servers.password(), json!({})).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls));
    assert!(outcome.advice.unwrap().contains("offers no STARTTLS"));
    assert!(context.secured().is_empty());
}

#[tokio::test]
async fn a_server_that_wants_tls_first_is_not_told_the_password_without() {
    let servers = Servers::given();
    let context = servers.context(servers.starttls());
    let outcome = test(&context, servers.user(), servers.password(), json!({ "security": "none" })).await;
    assert_eq!(outcome.verdict, Verdict::Unverifiable);
    assert!(outcome.advice.unwrap().contains("Choose starttls"));
}

#[tokio::test]
async fn no_other_certificate_is_trusted() {
    let servers = Servers::given();
    for (address, security) in [(servers.starttls(), "starttls"), (servers.other("tls"), "tls")] {
        let config = json!({ "security": security });
        let stranger = LoopbackContext::to(address).trusting(&Authority::new());
        let outcome = test(&stranger, servers.user(), servers.password(), config.clone()).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls), "{security}");
        let mut other_host = config;
        other_host["smtp_host"] = json!("other.example.com");
        let outcome = test(&servers.context(address), servers.user(), servers.password(), other_host).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls), "{security}");
    }
}

#[tokio::test]
async fn a_server_that_waits_for_starttls_is_no_tls_server() {
    let servers = Servers::given();
    let context = servers.context(servers.starttls());
    let outcome = test(&context, servers.user(), servers.password(), json!({ "security": "tls" })).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls));
    assert!(outcome.advice.unwrap().contains("choose starttls"));
}

#[tokio::test]
async fn no_password_goes_in_the_clear_where_the_guard_forbids_it() {
    let servers = Servers::given();
    let context = servers.context(servers.other("plain")).never_in_the_clear();
    let outcome = test(&context, servers.user(), servers.password(), json!({ "security": "none" })).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::BlockedAddress));
    assert!(outcome.advice.unwrap().contains("--allow-network"));
}
