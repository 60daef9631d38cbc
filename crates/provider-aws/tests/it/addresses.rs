//! Where requests go.

use nora_provider_sdk::{NetworkError, Provider, Unreachable, Verdict};
use nora_provider_testkit::{Dialed, LoopbackContext, Reply, Service};

use crate::support::{Entered, aws, both, s3, test};

/// Host, port and target of the one request that `entered` leads to.
async fn asked(provider: &dyn Provider, entered: Entered<'_>) -> (Dialed, String) {
    let service = Service::start([], Reply::json(500, "{}")).await;
    let context = LoopbackContext::to_service(&service);
    test(provider, entered, &context).await;
    let (dialed, received) = (context.dialed(), service.received());
    assert_eq!((dialed.len(), received.len()), (1, 1), "one request is sent");
    (dialed[0].clone(), received[0].target.clone())
}

async fn assert_asked(provider: &dyn Provider, entered: Entered<'_>, host: &str, port: u16, target: &str) {
    let expected = (Dialed { host: host.to_owned(), port }, target.to_owned());
    assert_eq!(asked(provider, entered).await, expected, "{entered:?}");
}

#[tokio::test]
async fn a_bucket_has_a_host_of_its_own() {
    let list = "/?list-type=2&max-keys=1";
    for (entered, host, port) in [
        (&[][..], "acme-orders.s3.eu-central-1.amazonaws.com", 443),
        (&[("region", "")], "acme-orders.s3.us-east-1.amazonaws.com", 443),
        (&[("region", "cn-north-1")], "acme-orders.s3.cn-north-1.amazonaws.com.cn", 443),
        (&[("region", "us-gov-east-1")], "acme-orders.s3.us-gov-east-1.amazonaws.com", 443),
        (&[("region", "auto"), ("endpoint", "https://abc.r2.acme.example")], "acme-orders.abc.r2.acme.example", 443),
        (&[("endpoint", "http://minio.acme.example:9000/")], "acme-orders.minio.acme.example", 9000),
    ] {
        assert_asked(&*s3(), entered, host, port, list).await;
    }
}

#[tokio::test]
async fn a_bucket_stands_in_the_path_where_no_host_can_be_its_own() {
    let list = "/acme-orders?list-type=2&max-keys=1";
    for (entered, host, port, target) in [
        (&[("force_path_style", "true")][..], "s3.eu-central-1.amazonaws.com", 443, list),
        (&[("bucket", "acme.orders")], "s3.eu-central-1.amazonaws.com", 443, "/acme.orders?list-type=2&max-keys=1"),
        (&[("endpoint", "https://192.0.2.7:9000")], "192.0.2.7", 9000, list),
        (&[("endpoint", "https://[2001:db8::7]:9000")], "2001:db8::7", 9000, list),
        (&[("endpoint", "http://minio:9000")], "minio", 9000, list),
        (
            &[("endpoint", "https://acme.example/store/"), ("force_path_style", "true")],
            "acme.example",
            443,
            "/store/acme-orders?list-type=2&max-keys=1",
        ),
    ] {
        assert_asked(&*s3(), entered, host, port, target).await;
    }
}

#[tokio::test]
async fn without_a_bucket_the_buckets_are_listed() {
    let path_style = [("bucket", ""), ("force_path_style", "true")];
    for entered in [&[("bucket", "")][..], &path_style] {
        assert_asked(&*s3(), entered, "s3.eu-central-1.amazonaws.com", 443, "/?max-buckets=1").await;
    }
}

#[tokio::test]
async fn an_endpoint_takes_the_place_of_awss_own() {
    assert_asked(&*aws(), &[("region", "cn-north-1")], "sts.cn-north-1.amazonaws.com.cn", 443, "/").await;
    assert_asked(&*aws(), &[("endpoint_url", "http://cloud.acme.example:4566")], "cloud.acme.example", 4566, "/").await;
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_that_cannot_be_made() {
    let context = LoopbackContext::failing(NetworkError::Dns);
    for entered in [[("region", "auto")], [("region", "evil.test/#")], [("secret_access_key", "")]] {
        for provider in both() {
            let outcome = test(provider.as_ref(), &entered, &context).await;
            assert_eq!(outcome.verdict, Verdict::Unverifiable, "{entered:?}");
            assert!(outcome.advice.unwrap().starts_with("Nothing was sent"));
        }
    }
    assert_eq!(context.dialed(), []);
}

/// A store that is not told so gives its buckets no hosts, and nobody can guess that from "does not resolve".
#[tokio::test]
async fn a_bucket_without_a_host_says_what_to_do() {
    for (error, expected) in [(NetworkError::Dns, Unreachable::Dns), (NetworkError::Tls, Unreachable::Tls)] {
        let context = LoopbackContext::failing(error);
        let outcome = test(&*s3(), &[("endpoint", "https://minio.acme.example")], &context).await;
        assert_eq!(outcome.verdict, Verdict::Unreachable(expected));
        assert!(outcome.advice.unwrap().contains("force_path_style"));
        assert_eq!(test(&*s3(), &[], &context).await.advice, None, "AWS has a host for every bucket");
    }
}
