//! The servers the tests run against.

use std::net::SocketAddr;

use nora_provider_sdk::{Connection, Outcome, Secret};
use nora_provider_testkit::LoopbackContext;
use serde_json::{Value, json};
use url::Url;

const VARIABLE: &str = "NORA_TEST_SMTP_URL";

/// Every test ends in this one line if nobody started the servers.
const MISSING: &str =
    "NORA_TEST_SMTP_URL is not set: run `cargo xtask test`, which starts mail servers that take no mail";

pub(crate) const HOST: &str = "smtp.example.com";

/// Real servers that know one user.
pub(crate) struct Servers(Url);

impl Servers {
    pub(crate) fn given() -> Self {
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this variable")]
        let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        let Some(url) = url else { panic!("{MISSING}") };
        Self(Url::parse(&url).unwrap())
    }

    pub(crate) fn user(&self) -> &str {
        self.0.username()
    }

    pub(crate) fn password(&self) -> &str {
        self.0.password().unwrap()
    }

    /// The one that wants STARTTLS before a login.
    pub(crate) fn starttls(&self) -> SocketAddr {
        self.at(self.0.port().unwrap())
    }

    /// The one of this kind: `tls` from the start, `plain` without any, or `login`, which knows no `AUTH PLAIN`.
    pub(crate) fn other(&self, kind: &str) -> SocketAddr {
        self.at(self.parameter(kind).parse().unwrap())
    }

    /// A context that leads to `address` and trusts the servers' authority.
    pub(crate) fn context(&self, address: SocketAddr) -> LoopbackContext {
        LoopbackContext::to(address).trusting_pem(&self.parameter("authority"))
    }

    fn parameter(&self, name: &str) -> String {
        self.0.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    fn at(&self, port: u16) -> SocketAddr {
        format!("{}:{port}", self.0.host_str().unwrap()).parse().unwrap()
    }
}

/// Tests a connection with these values, and shows that nothing in the outcome gives the password away.
pub(crate) async fn test(context: &LoopbackContext, user: &str, password: &str, config: Value) -> Outcome {
    let provider = nora_provider_smtp::provider().unwrap();
    let mut values = json!({ "smtp_host": HOST, "smtp_user": user, "from_address": "ada@example.com" });
    let Value::Object(config) = config else { panic!("values by field") };
    values.as_object_mut().unwrap().extend(config);
    let secrets = [("smtp_pass".parse().unwrap(), Secret::new(password.to_owned()))].into_iter().collect();
    let outcome =
        provider.test(&Connection::new(provider.manifest(), values.as_object().unwrap(), &secrets), context).await;
    assert!(!format!("{outcome:?}").contains(password), "the outcome shows the password");
    outcome
}
