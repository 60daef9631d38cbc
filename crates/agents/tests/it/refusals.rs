//! What a runtime's place may not be. Nothing is stored of it.

use nora_agents::{AddressProblem, CreateAgent, CreateAgentError, Place, RuntimeKind};
use nora_kernel::address::NetworkPolicy;

use crate::support::{Directory, gateway, nora, openclaw, request, runtime};

async fn refusal_from(directory: &Directory, request: CreateAgent) -> CreateAgentError {
    let refused = directory.create(request).await.unwrap_err();
    assert_eq!((directory.store.count(), directory.store.lines().len()), (0, 0), "{refused}");
    refused
}

async fn refusal(request: CreateAgent) -> String {
    refusal_from(&Directory::new(), request).await.to_string()
}

#[tokio::test]
async fn an_address_is_a_base_url_of_its_kind() {
    for (url, reason) in [
        ("", "is not a URL"),
        ("10.0.0.1:9090", "is not a URL"),
        ("http://10.0.0.1:99999", "is not a URL"),
        ("http://10.0.0.1/a b", "is not a URL"),
        ("http://10.0.0.1\\@evil.test", "is not a URL"),
        ("http:10.0.0.1", "must name a host"),
        ("ftp://10.0.0.1", "must be an http or https URL"),
        ("ws://10.0.0.1", "must be an http or https URL"),
        ("file:///etc/passwd", "must be an http or https URL"),
        ("http://user@10.0.0.1", "must not hold a user name or password"),
        ("http://user:word@10.0.0.1", "must not hold a user name or password"),
        ("http://@10.0.0.1", "must not hold a user name or password"),
        ("http://10.0.0.1/?token=x", "must not hold a query or fragment"),
        ("http://10.0.0.1/#x", "must not hold a query or fragment"),
        ("http://10.0.0.1:22", "must use port 80, 443, or one from 1024 up"),
    ] {
        assert_eq!(refusal(nora(url, "hush")).await, format!("/runtime/url {reason}"), "{url}");
    }
    for (url, reason) in [
        ("http://10.0.0.1:18789", "must be a ws or wss URL"),
        ("ws://user@10.0.0.1:18789", "must not hold a user name or password"),
        ("ws://10.0.0.1:18789?token=x", "must not hold a query or fragment"),
        ("ws://10.0.0.1:25", "must use port 80, 443, or one from 1024 up"),
    ] {
        assert_eq!(refusal(openclaw(url)).await, format!("/gateway/url {reason}"), "{url}");
    }
}

async fn problem(policy: NetworkPolicy, url: &str) -> Option<AddressProblem> {
    let directory = Directory::calling(policy);
    match directory.create(nora(url, "hush")).await {
        Ok(_) => None,
        Err(CreateAgentError::Address(problem)) => Some(problem),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_literal_lies_in_the_networks_of_runtimes() {
    let outside = Some(AddressProblem::OutsideNetworks(Place::Runtime));
    let listed = || NetworkPolicy::runtimes("172.20.0.0/16".parse().unwrap());
    assert_eq!(problem(listed(), "http://172.20.1.1:9090").await, None);
    for url in ["http://172.21.1.1:9090", "http://10.0.0.1", "http://127.0.0.1", "https://1.1.1.1", "http://[::1]"] {
        assert_eq!(problem(listed(), url).await, outside, "{url}");
    }
    for url in ["http://169.254.169.254", "http://[fd00:ec2::254]", "http://[::ffff:169.254.169.254]"] {
        let everywhere = NetworkPolicy::runtimes("0.0.0.0/0,::/0".parse().unwrap());
        assert_eq!(problem(everywhere, url).await, outside, "{url}");
    }
    let public_server = || NetworkPolicy::runtimes_by_default(false);
    for url in ["http://127.0.0.1:9090", "http://2130706433:9090", "http://0x7f.1:9090", "http://[::ffff:7f00:1]"] {
        assert_eq!(problem(public_server(), url).await, outside, "{url}");
        assert_eq!(problem(NetworkPolicy::runtimes_by_default(true), url).await, None, "{url}");
    }
}

#[tokio::test]
async fn a_public_address_needs_tls() {
    let by_default = || NetworkPolicy::runtimes_by_default(false);
    assert_eq!(problem(by_default(), "http://1.1.1.1").await, Some(AddressProblem::NeedsTls(Place::Runtime)));
    assert_eq!(problem(by_default(), "https://1.1.1.1").await, None);
    assert_eq!(problem(by_default(), "http://192.168.1.9").await, None);

    let directory = Directory::calling(by_default());
    let refused = refusal_from(&directory, openclaw("ws://1.1.1.1:18789")).await;
    assert!(matches!(refused, CreateAgentError::Address(AddressProblem::NeedsTls(Place::Gateway))), "{refused}");
    directory.create(openclaw("wss://1.1.1.1:18789")).await.unwrap();
}

#[tokio::test]
async fn a_name_is_looked_at_when_it_is_called() {
    let nowhere = || NetworkPolicy::runtimes("172.20.0.0/16".parse().unwrap());
    for url in ["http://agent-7.runtimes.internal:9090", "http://localhost", "https://runtime.example"] {
        assert_eq!(problem(nowhere(), url).await, None, "{url}");
    }
}

#[tokio::test]
async fn a_kind_needs_what_it_cannot_be_reached_without() {
    for kind in [RuntimeKind::Nora, RuntimeKind::Sidecar, RuntimeKind::Hermes] {
        let refused = refusal(request(runtime(kind, None, Some("hush")), None)).await;
        assert_eq!(refused, "runtime.url is required for this kind of runtime", "{kind}");
    }
    for token in [None, Some("")] {
        let refused = refusal(request(runtime(RuntimeKind::Nora, Some("http://10.0.0.1"), token), None)).await;
        assert_eq!(refused, "runtime.token is required for this kind of runtime");
    }
    for url in [None, Some("http://10.0.0.1")] {
        let refused = refusal(request(runtime(RuntimeKind::Openclaw, url, None), None)).await;
        assert_eq!(refused, "gateway is required for an openclaw runtime");
    }
}

async fn token_place(request: CreateAgent) -> &'static str {
    match refusal_from(&Directory::new(), request).await {
        CreateAgentError::TokenInvalid(pointer) => pointer,
        error => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_token_travels_in_a_header() {
    let long = "x".repeat(16_385);
    for token in ["a\nb", "a\0b", "a\tb", "\u{7f}", "pässword", &long] {
        assert_eq!(token_place(nora("http://10.0.0.1", token)).await, "/runtime/token", "{token:?}");
        let gateway = gateway("ws://10.0.0.1:18789", token);
        let behind = request(runtime(RuntimeKind::Openclaw, None, None), Some(gateway));
        assert_eq!(token_place(behind).await, "/gateway/token", "{token:?}");
    }
    let hermes = request(runtime(RuntimeKind::Hermes, Some("http://10.0.0.1"), Some("")), None);
    assert_eq!(token_place(hermes).await, "/runtime/token");
    for token in ["x", "two words", "~!@#$%^&*()", long.get(1..).unwrap()] {
        Directory::new().create(nora("http://10.0.0.1", token)).await.unwrap();
    }
}
