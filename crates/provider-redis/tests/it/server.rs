//! The server the tests run against.

use std::net::SocketAddr;

use nora_provider_sdk::{Connection, Outcome, Secret};
use nora_provider_testkit::LoopbackContext;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use url::Url;

const VARIABLE: &str = "NORA_TEST_REDIS_URL";

/// Every test ends in this one line if nobody started a server.
const MISSING: &str = "NORA_TEST_REDIS_URL is not set: run `cargo xtask test`, which starts a Redis, or set it to the URL \
                       of a server with a password whose users may be changed";

pub(crate) const PASSWORD: &str = "canary-päss 0123456789";

/// A real server, with a password of its own.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) password: String,
}

impl Server {
    pub(crate) fn given() -> Self {
        #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this variable")]
        let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
        let Some(url) = url else { panic!("{MISSING}") };
        let url = Url::parse(&url).unwrap();
        let address = url.socket_addrs(|| Some(6379)).unwrap().into_iter().next().unwrap();
        Self { address, password: url.password().unwrap().to_owned() }
    }

    /// A user with these rules and the password of the tests.
    pub(crate) async fn user(&self, name: &str, rules: &str) {
        let mut stream = BufReader::new(TcpStream::connect(self.address).await.unwrap());
        let password = format!(">{PASSWORD}");
        let rules = rules.split_whitespace().chain([password.as_str()]);
        let set_user: Vec<&str> = ["ACL", "SETUSER", name, "reset", "on"].into_iter().chain(rules).collect();
        for words in [["AUTH", &self.password].as_slice(), &set_user] {
            let words_with_lengths = words.iter().flat_map(|word| [format!("${}", word.len()), (*word).to_owned()]);
            let lines: Vec<String> = [format!("*{}", words.len())].into_iter().chain(words_with_lengths).collect();
            stream.write_all(format!("{}\r\n", lines.join("\r\n")).as_bytes()).await.unwrap();
            let mut line = String::new();
            stream.read_line(&mut line).await.unwrap();
            assert_eq!(line, "+OK\r\n");
        }
    }

    /// Tests a connection with these values, without TLS.
    pub(crate) async fn test(&self, password: &str, config: Value) -> Outcome {
        test(&LoopbackContext::to(self.address), password, with(config, json!({ "tls": false }))).await
    }
}

/// Two sets of values in one.
pub(crate) fn with(mut config: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("values by field") };
    config.as_object_mut().unwrap().extend(more);
    config
}

/// Tests a connection with these values, and shows that nothing in the outcome gives the password away.
pub(crate) async fn test(context: &LoopbackContext, password: &str, config: Value) -> Outcome {
    let provider = nora_provider_redis::provider().unwrap();
    let config = with(json!({ "host": "cache.example.com", "port": 6380 }), config);
    let given = [("password".parse().unwrap(), Secret::new(password.to_owned()))];
    let secrets = given.into_iter().filter(|_| !password.is_empty()).collect();
    let outcome =
        provider.test(&Connection::new(provider.manifest(), config.as_object().unwrap(), &secrets), context).await;
    assert!(password.is_empty() || !format!("{outcome:?}").contains(password), "the outcome shows the password");
    outcome
}
