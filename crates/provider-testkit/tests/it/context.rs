//! The context and the services themselves: what the suite stands on.

use std::time::Duration;

use nora_provider_sdk::{Context as _, HttpClient as _, NetworkError, Request, Secret, Transport};
use nora_provider_testkit::{Authority, Dialed, LoopbackContext, Reply, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;

fn get(url: &str) -> Request {
    Request::get(Url::parse(url).unwrap())
}

#[tokio::test]
async fn every_host_leads_to_the_service() {
    let service = Service::start([Reply::json(201, "{\"a\":1}").header("x-b", "c")], Reply::Hangup).await;
    let context = LoopbackContext::to_service(&service);
    let mut request = get("https://api.acme.example:8443/v1/me?q=1").header("Authorization", "Bearer t");
    request.method = nora_provider_sdk::Method::Post;
    request.body = Some(Secret::new("hello".to_owned()));
    let response = context.send(request).await.unwrap();
    assert_eq!((response.status, response.header("x-b")), (201, Some("c")));
    assert_eq!(&response.body[..], b"{\"a\":1}");
    assert_eq!(context.dialed(), [Dialed { host: "api.acme.example".to_owned(), port: 8443 }]);
    let received = service.received();
    assert_eq!((received[0].method.as_str(), received[0].target.as_str()), ("POST", "/v1/me?q=1"));
    assert_eq!(received[0].header("host"), Some("api.acme.example:8443"));
    assert_eq!(received[0].header("authorization"), Some("Bearer t"));
    assert_eq!(received[0].body, b"hello");
    assert_eq!(context.send(get("http://acme.example/")).await.unwrap_err(), NetworkError::Refused);
}

#[tokio::test]
async fn what_goes_wrong_has_its_name() {
    for (reply, error) in [
        (Reply::Garbage, NetworkError::Protocol),
        (Reply::Hangup, NetworkError::Refused),
        (Reply::HugeBody(1 << 20), NetworkError::TooLarge),
        (Reply::SlowBody, NetworkError::Timeout),
    ] {
        let service = Service::start([], reply.clone()).await;
        let context = LoopbackContext::to_service(&service).within(Duration::from_millis(250));
        assert_eq!(context.send(get("http://acme.example/")).await.unwrap_err(), error, "{reply:?}");
    }
}

#[tokio::test]
async fn tls_is_verified() {
    let authority = Authority::new();
    let service = Service::start_tls([], Reply::json(200, "{}"), &authority.issue(&["acme.example"])).await;
    let trusting = || LoopbackContext::to_service(&service).trusting(&authority);
    assert_eq!(trusting().send(get("https://acme.example/")).await.unwrap().status, 200);
    assert_eq!(trusting().send(get("https://other.example/")).await.unwrap_err(), NetworkError::Tls);
    let stranger = LoopbackContext::to_service(&service).trusting(&Authority::new());
    assert_eq!(stranger.send(get("https://acme.example/")).await.unwrap_err(), NetworkError::Tls);
    assert_eq!(stranger.secured(), ["acme.example"]);
}

#[tokio::test]
async fn streams_end_at_the_deadline() {
    let service = Service::start([], Reply::SlowBody).await;
    let context = LoopbackContext::to_service(&service).within(Duration::from_millis(100));
    let mut stream = context.connect("acme.example", 25, Transport::Tls).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut everything = Vec::new();
    let error = stream.read_to_end(&mut everything).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}
