//! Behind TLS.

use nora_provider_sdk::{Unreachable, Verdict};
use nora_provider_testkit::{Authority, LoopbackContext};

use crate::server::{Server, test};

const URI: &str = "mongodb://app:canary-password@db.example.com/?tls=true";

#[tokio::test]
async fn the_server_is_verified_before_anything_is_said() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.issue(&["db.example.com"])).await;
    let trusting = LoopbackContext::to(server.address).trusting(&authority);
    assert_eq!(test(&trusting, URI).await.verdict, Verdict::Verified);
    assert_eq!(trusting.secured(), ["db.example.com"]);
    assert_eq!(server.names().len(), 4);
    let careless = format!("{URI}&tlsInsecure=true&tlsAllowInvalidCertificates=true");
    for uri in [URI, &careless] {
        let outcome = test(&LoopbackContext::to(server.address).trusting_nobody(), uri).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::Tls));
        assert!(outcome.advice.unwrap().contains("always verifies"));
    }
    assert_eq!(server.names().len(), 4, "nothing more was said");
}

#[tokio::test]
async fn the_certificate_of_another_host_is_not_taken() {
    let authority = Authority::new();
    let server = Server::start_tls(&authority.issue(&["other.example.com"])).await;
    let context = LoopbackContext::to(server.address).trusting(&authority);
    assert_eq!(test(&context, URI).await.verdict, Verdict::Unreachable(Unreachable::Tls));
    assert!(server.names().is_empty());
}
