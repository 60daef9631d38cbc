//! Names whose answers are wrong, mixed, or change between two looks.

use std::sync::Arc;

use nora_net_guard::{GuardedClient, Limits, SystemResolver, Transport};
use nora_provider_sdk::NetworkError;
use reqwest::{Method, Request};

use crate::support::{PRIVATE, PUBLIC, Peer, Script, guard};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

async fn get(client: &GuardedClient, url: &str) -> Result<u16, NetworkError> {
    let request = Request::new(Method::GET, url.parse().unwrap());
    let limits = Limits { time: std::time::Duration::from_secs(5), body: 1024 };
    client.send(request, limits).await.map(|answer| answer.status.as_u16())
}

#[tokio::test]
async fn one_address_that_may_not_be_called_spoils_the_name() {
    let cases: &[(&'static str, &[&[&str]])] = &[
        ("mixed.test", &[&[PUBLIC, "10.0.0.5"]]),
        ("mixed-last.test", &[&["10.0.0.5", PUBLIC]]),
        ("mixed6.test", &[&[PUBLIC, "::1"]]),
        ("only6.test", &[&["::1"]]),
        ("compat6.test", &[&["::7f00:1"]]),
        ("mapped6.test", &[&["::ffff:10.0.0.5"]]),
        ("nat64.test", &[&["64:ff9b::7f00:1"]]),
        ("wire.test", &[&["168.63.129.16"]]),
        ("alias-of-localhost.test", &[&[PRIVATE]]),
        ("zero.test", &[&["0.0.0.0"]]),
    ];
    let guard = guard(PUBLIC, Script::new(cases), &[]);
    for (name, _) in cases {
        for transport in [Transport::Tls, Transport::Plaintext] {
            let refused = guard.addresses(name, transport).await;
            assert_eq!(refused, Err(NetworkError::BlockedAddress), "{name}");
        }
    }
}

#[tokio::test]
async fn a_name_without_a_sensible_answer_does_not_resolve() {
    let many: Vec<String> = (0..4000).map(|number| format!("93.184.{}.{}", number / 256, number % 256)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let script = Script::new(&[("empty.test", &[&[]]), ("many.test", &[&many])]);
    let guard = guard(PUBLIC, script, &[]);
    for name in ["nx.test", "empty.test", "many.test"] {
        assert_eq!(guard.addresses(name, Transport::Tls).await, Err(NetworkError::Dns), "{name}");
    }
}

#[tokio::test]
async fn the_address_that_was_looked_at_is_the_one_that_is_called() {
    let good = Peer::answering(PUBLIC, 0, ANSWER).await;
    let sink = Peer::answering(PRIVATE, good.port(), ANSWER).await;
    let script = Script::new(&[("rebind.test", &[&[PUBLIC], &[PRIVATE]])]);
    let client = GuardedClient::new(guard(PUBLIC, script.clone(), &[])).unwrap();
    let url = format!("http://rebind.test:{}/", good.port());

    assert_eq!(get(&client, &url).await, Ok(200));
    assert_eq!(script.times_asked(), 1, "a second look could be answered differently");
    for _ in 0..50 {
        assert_eq!(get(&client, &url).await, Err(NetworkError::BlockedAddress));
    }
    assert_eq!((good.connections(), sink.connections()), (1, 0));
}

#[tokio::test]
async fn a_name_that_flips_is_refused_whenever_it_points_inside() {
    let good = Peer::answering(PUBLIC, 0, ANSWER).await;
    let sink = Peer::answering(PRIVATE, good.port(), ANSWER).await;
    let script = Script::new(&[("flip.test", &[&[PRIVATE], &[PUBLIC], &[PRIVATE]])]);
    let client = GuardedClient::new(guard(PUBLIC, script, &[])).unwrap();
    let url = format!("http://flip.test:{}/", good.port());

    assert_eq!(get(&client, &url).await, Err(NetworkError::BlockedAddress));
    assert_eq!(get(&client, &url).await, Ok(200));
    assert_eq!(get(&client, &url).await, Err(NetworkError::BlockedAddress));
    assert_eq!(sink.connections(), 0);
}

#[tokio::test]
async fn the_client_says_what_became_of_a_name() {
    let script = Script::new(&[("private.test", &[&[PRIVATE]])]);
    let client = GuardedClient::new(guard(PUBLIC, script, &[])).unwrap();
    assert_eq!(get(&client, "http://nx.test:8080/").await, Err(NetworkError::Dns));
    assert_eq!(get(&client, "https://private.test/").await, Err(NetworkError::BlockedAddress));
    assert_eq!(get(&client, "https://a..b/").await, Err(NetworkError::Dns));
}

#[tokio::test]
async fn an_address_is_checked_although_no_resolver_is_asked() {
    let sink = Peer::answering(PRIVATE, 0, ANSWER).await;
    let client = GuardedClient::new(guard(PUBLIC, Script::new(&[]), &[])).unwrap();
    for host in [PRIVATE, "0x7f.1", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{}/", sink.port());
        assert_eq!(get(&client, &url).await, Err(NetworkError::BlockedAddress), "{host}");
    }
    assert_eq!(sink.connections(), 0);
}

#[tokio::test]
async fn the_systems_resolver_knows_this_machine() {
    let guard = guard("127.0.0.0/8,::1", Arc::new(SystemResolver), &[]);
    let addresses = guard.addresses("localhost", Transport::Plaintext).await.unwrap();
    assert!(addresses.iter().all(std::net::IpAddr::is_loopback), "{addresses:?}");
    assert_eq!(guard.addresses("no-such-name.invalid", Transport::Tls).await, Err(NetworkError::Dns));
}
