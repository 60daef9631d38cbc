//! A store that verifies signatures with AWS's own implementation of them, and its accounts.

use std::collections::HashMap;

use nora_provider_sdk::{Outcome, Provider, Rejection, Verdict};
use nora_provider_testkit::LoopbackContext;
use url::Url;

use crate::support::{aws, both, s3, test};

const VARIABLE: &str = "NORA_TEST_S3_URL";

/// Every test ends in this one line if nobody started the store.
const MISSING: &str = "NORA_TEST_S3_URL is not set: run `cargo xtask test -p nora-provider-aws`, which starts a store";

/// The store's URL, and in its query who may do what there.
struct Store {
    url: Url,
    world: HashMap<String, String>,
}

impl Store {
    fn find() -> Self {
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this variable")]
        let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        let Some(url) = url else { panic!("{MISSING}") };
        let mut url: Url = url.parse().unwrap();
        let world = url.query_pairs().into_owned().collect();
        url.set_query(None);
        Self { url, world }
    }

    fn context(&self) -> LoopbackContext {
        LoopbackContext::to(self.url.socket_addrs(|| None).unwrap()[0])
    }

    fn told(&self, name: &str) -> &str {
        &self.world[name]
    }

    /// Tests `provider` with somebody's key and what else is entered.
    async fn test(&self, provider: &dyn Provider, who: &str, entered: &[(&str, &str)]) -> Outcome {
        let (id, secret) = (format!("{who}_id"), format!("{who}_secret"));
        let key =
            [("access_key_id", self.told(&id)), ("secret_access_key", self.told(&secret)), ("region", "us-east-1")];
        let bucket = ("bucket", self.told("bucket"));
        let bucket = provider.manifest().field("bucket").map(|_| bucket);
        let all: Vec<(&str, &str)> = key.into_iter().chain(bucket).chain(entered.iter().copied()).collect();
        test(provider, &all, &self.context()).await
    }
}

const AUTH: Verdict = Verdict::Rejected(Rejection::Auth);

#[tokio::test]
async fn a_bucket_is_listed_by_either_address() {
    let store = Store::find();
    let endpoint = ("endpoint", store.url.as_str());
    for entered in [&[][..], &[("force_path_style", "true")], &[endpoint]] {
        let outcome = store.test(&*s3(), "reader", entered).await;
        assert_eq!(outcome.verdict, Verdict::Verified, "{entered:?}");
        let expected = format!("{} in {}", store.told("reader_id"), store.told("bucket"));
        assert_eq!(outcome.account.unwrap().as_str(), expected);
    }
    let outcome = store.test(&*s3(), "reader", &[("bucket", "")]).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.account.unwrap().as_str(), store.told("reader_id"));
}

#[tokio::test]
async fn the_identity_is_the_arn() {
    let store = Store::find();
    for entered in [&[][..], &[("endpoint_url", store.url.as_str())]] {
        let outcome = store.test(&*aws(), "reader", entered).await;
        assert_eq!(outcome.verdict, Verdict::Verified);
        assert_eq!(outcome.account.unwrap().as_str(), "arn:aws:iam::123456789012:user/reader");
    }
    assert_eq!(store.test(&*aws(), "stranger", &[]).await.verdict, Verdict::Verified, "it needs no permission");
}

#[tokio::test]
async fn a_temporary_key_comes_with_its_session_token() {
    let store = Store::find();
    let token = ("session_token", store.told("guest_token"));
    assert_eq!(store.test(&*s3(), "guest", &[token]).await.verdict, Verdict::Verified);
    let outcome = store.test(&*aws(), "guest", &[token]).await;
    assert_eq!(outcome.account.unwrap().as_str(), "arn:aws:sts::123456789012:assumed-role/guest/test");
    for provider in both() {
        let without = store.test(provider.as_ref(), "guest", &[]).await;
        assert_eq!(without.verdict, AUTH);
        assert!(without.advice.unwrap().contains("session token"));
        let other = store.test(provider.as_ref(), "guest", &[("session_token", "canary-session-token")]).await;
        assert_eq!(other.verdict, AUTH);
    }
}

#[tokio::test]
async fn a_wrong_key_is_rejected() {
    let store = Store::find();
    for provider in both() {
        let secret =
            store.test(provider.as_ref(), "reader", &[("secret_access_key", "canary-secret-0123456789")]).await;
        assert_eq!(secret.verdict, AUTH);
        assert!(secret.advice.unwrap().contains("secret access key"));
        let id = store.test(provider.as_ref(), "reader", &[("access_key_id", "AKIACANARYCANARYCANA")]).await;
        assert_eq!(id.verdict, AUTH);
        assert!(id.advice.unwrap().contains("does not know"));
    }
}

#[tokio::test]
async fn a_key_without_permission_is_out_of_scope() {
    let store = Store::find();
    let listed = store.test(&*s3(), "stranger", &[]).await;
    assert_eq!(listed.verdict, Verdict::Rejected(Rejection::Scope));
    assert!(listed.advice.unwrap().contains("s3:ListBucket"));
    let all = store.test(&*s3(), "stranger", &[("bucket", "")]).await;
    assert_eq!(all.verdict, Verdict::Rejected(Rejection::Scope));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_not_found() {
    let store = Store::find();
    let outcome = store.test(&*s3(), "reader", &[("bucket", "nora-no-such-bucket")]).await;
    assert_eq!(outcome.verdict, Verdict::Rejected(Rejection::NotFound));
}
