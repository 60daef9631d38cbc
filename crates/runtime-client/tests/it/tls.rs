//! Runtimes behind TLS, and the addresses that are not spoken to without it.

use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, RuntimeAddress, RuntimeClient as _};
use nora_kernel::address::{Endpoint, Scheme};
use nora_testkit_runtimes::{Hermes, Journal, TlsFront};

use crate::gateways::{self, gateway, paired, secret};
use crate::support::{Book, address, address_of, failed, push, runtime, runtimes, runtimes_trusting};

const ENV: [(&str, &str); 1] = [("LINEAR_API_KEY", "lin_A")];

fn at_gateway(url: &str, mut address: RuntimeAddress) -> RuntimeAddress {
    address.gateway.as_mut().unwrap().url = Endpoint::parse(url, Scheme::WebSocket).unwrap();
    address
}

fn at(url: &str, address: RuntimeAddress) -> RuntimeAddress {
    RuntimeAddress { url: Some(Endpoint::parse(url, Scheme::Http).unwrap()), ..address }
}

/// A push through `front` goes through where its certificate is trusted, and nowhere else.
async fn is_up_to_trust(front: &TlsFront, address: &RuntimeAddress) {
    let push = push(1, &ENV);
    let refused = runtimes().apply(address, &push, &Book::default()).await;
    assert_eq!(refused.unwrap_err(), failed(FailureClass::Tls), "{}", front.url());
    let applied = runtimes_trusting(front).apply(address, &push, &Book::default()).await.unwrap();
    assert_eq!(applied.variables.len(), 1, "{}", front.url());
}

#[tokio::test]
async fn a_gateway_behind_tls_is_spoken_to_where_its_certificate_is_trusted() {
    let gateway = gateway(paired()).await;
    let front = TlsFront::start(&gateway.url()).await;
    assert!(front.url().starts_with("wss://"));
    is_up_to_trust(&front, &at_gateway(&front.url(), gateways::address(&gateway))).await;
    assert_eq!(gateway.environment(), [("LINEAR_API_KEY".to_owned(), "lin_A".to_owned())].into());
    assert_eq!(gateway.connections(), 1, "nothing was said to a gateway nobody vouches for");
}

#[tokio::test]
async fn http_runtimes_behind_tls_are_spoken_to_where_their_certificate_is_trusted() {
    let hermes = Hermes::start("hermes-session-token", Journal::new()).await;
    let front = TlsFront::start(&hermes.url()).await;
    let behind = at(&front.url(), address(&hermes.url()));
    let token = secret("hermes-session-token");
    is_up_to_trust(&front, &RuntimeAddress { kind: RuntimeKind::Hermes, token, ..behind }).await;
    assert_eq!(hermes.lines()["LINEAR_API_KEY"], "lin_A");

    let runtime = runtime();
    let front = TlsFront::start(&runtime.url()).await;
    is_up_to_trust(&front, &at(&front.url(), address_of(&runtime))).await;
}

/// No packet is sent: an address is looked at before it is dialled.
#[tokio::test]
async fn a_public_address_is_not_spoken_to_without_tls() {
    let gateway = gateway(paired()).await;
    for host in ["1.1.1.1", "[2606:4700:4700::1111]"] {
        let plain = at_gateway(&format!("ws://{host}:18789"), gateways::address(&gateway));
        let http = at(&format!("http://{host}:9090"), address("http://127.0.0.1:1"));
        for address in [plain, http] {
            let refused = runtimes().apply(&address, &push(1, &ENV), &Book::default()).await.unwrap_err();
            assert_eq!(refused, failed(FailureClass::BlockedAddress), "{host}");
        }
    }
}
