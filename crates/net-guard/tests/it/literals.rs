//! URLs whose host alone decides: nothing is sent for those refused.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use nora_kernel::address::NetworkPolicy;
use nora_net_guard::{Guard, Resolver, Tls};
use nora_provider_sdk::NetworkError;
use url::Url;

/// Says that every name has one address, so that only the guard can object.
struct Everywhere(IpAddr);

#[async_trait]
impl Resolver for Everywhere {
    async fn resolve(&self, _name: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![self.0])
    }
}

fn guard(answer: &str) -> Guard {
    let resolver = Arc::new(Everywhere(answer.parse().unwrap()));
    Guard::new(NetworkPolicy::third_parties("".parse().unwrap()), resolver, Tls::new(&[]).unwrap())
}

/// What the guard says to a URL, from its text to the addresses a connection would use.
async fn verdict(guard: &Guard, text: &str) -> Result<Vec<IpAddr>, NetworkError> {
    let url = Url::parse(text).map_err(|_| NetworkError::Protocol)?;
    let transport = guard.check_url(&url)?;
    guard.addresses(url.host_str().unwrap_or_default(), transport).await
}

#[tokio::test]
async fn every_disguise_of_an_address_that_is_not_public_is_refused() {
    let public = guard("93.184.216.34");
    for text in REFUSED {
        let verdict = verdict(&public, text).await;
        assert!(verdict.is_err(), "{text} leads to {verdict:?}");
        let protected = text.replacen("http://", "https://", 1);
        if protected != *text {
            let verdict = self::verdict(&public, &protected).await;
            assert!(verdict.is_err(), "{protected} leads to {verdict:?}");
        }
    }
}

#[tokio::test]
async fn names_of_private_networks_do_not_lead_to_public_addresses() {
    let (public, private) = (guard("93.184.216.34"), guard("10.0.0.5"));
    for name in PRIVATE_NAMES {
        let text = format!("https://{name}/");
        assert!(verdict(&public, &text).await.is_err(), "{name}");
        assert_eq!(verdict(&private, &text).await.err(), Some(refusal(name)), "{name}");
    }
}

fn refusal(name: &str) -> NetworkError {
    if name.ends_with("onion") { NetworkError::Dns } else { NetworkError::BlockedAddress }
}

#[tokio::test]
async fn neighbours_of_private_networks_are_not_refused() {
    let public = guard("93.184.216.34");
    for text in ALLOWED {
        assert_eq!(verdict(&public, text).await.map(|addresses| addresses.len()), Ok(1), "{text}");
    }
}

#[tokio::test]
async fn a_public_address_is_not_sent_a_credential_in_the_clear() {
    let public = guard("93.184.216.34");
    for text in ["http://8.8.8.8/", "http://example.com/", "http://[2606:4700:4700::1111]/", "ws://example.com/"] {
        assert_eq!(verdict(&public, text).await, Err(NetworkError::BlockedAddress), "{text}");
    }
    assert!(verdict(&public, "wss://example.com/").await.is_ok());
}

#[tokio::test]
async fn only_web_ports_are_called_over_http() {
    let public = guard("93.184.216.34");
    for port in [0, 1, 22, 25, 79, 81, 442, 444, 1023, 2049, 6000, 6667, 10080] {
        let text = format!("https://example.com:{port}/");
        assert_eq!(verdict(&public, &text).await, Err(NetworkError::BlockedAddress), "{port}");
    }
    for port in [80, 443, 1024, 8080, 8443, 9090, 65535] {
        assert!(verdict(&public, &format!("https://example.com:{port}/")).await.is_ok(), "{port}");
    }
}

#[tokio::test]
async fn a_url_with_a_user_is_refused() {
    let public = guard("93.184.216.34");
    for text in ["https://user@example.com/", "https://user:password@example.com/", "https://:password@example.com/"] {
        assert_eq!(verdict(&public, text).await, Err(NetworkError::BlockedAddress), "{text}");
    }
}

const REFUSED: &[&str] = &[
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://0/",
    "http://0.0.0.0:5432/",
    "http://localhost./",
    "http://loc\talhost/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://０.０.０.０/",
    "http://%31%32%37.0.0.1/",
    "http://%6cocalhost/",
    "http:127.0.0.1/",
    "http:///127.0.0.1/",
    "http://127.0.0.1:80\\@example.com/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1?@example.com/",
    "http://1.1.1.1 &@169.254.169.254# @3.3.3.3/",
    "http://[::]/",
    "http://[::1]:5432/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[2001:0:4136:e378:8000:63bf:56ff:fefe]/",
    "http://[2002:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[100::1]/",
    "http://[2001:db8::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0xA9.0xFE.0xA9.0xFE/",
    "http://169.254.170.2/v2/credentials/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://100.64.0.1/",
    "http://10.0.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://198.18.0.1/",
    "http://203.0.113.1/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "ftp://127.0.0.1/",
    "unix:///var/run/docker.sock",
    "jar:http://127.0.0.1!/",
    "file:///etc/passwd",
    "http://example.com:22/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://xn--/",
    "http://a..b/",
    "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.com/",
    "http://[127.0.0.1]/",
    "http:///",
    "//127.0.0.1/",
    "localhost",
];

const PRIVATE_NAMES: &[&str] = &[
    "localhost",
    "localhost.",
    "foo.localhost",
    "metadata.google.internal",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "host.docker.internal",
    "printer.local",
    "router.lan",
    "intranet",
    "abc.onion",
];

const ALLOWED: &[&str] = &[
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://100.63.255.255/",
    "https://100.128.0.1/",
    "https://172.15.255.255/",
    "https://172.32.0.1/",
    "https://11.0.0.1/",
    "https://128.0.0.1/",
    "https://169.255.0.1/",
    "https://10.example.com/",
    "https://localhost.example.com/",
    "https://example.com./",
    "https://münchen.example/",
];
