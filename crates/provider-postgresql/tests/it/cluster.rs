//! The cluster the tests run against.

use std::net::SocketAddr;

use nora_provider_sdk::{Connection, Outcome};
use nora_provider_testkit::LoopbackContext;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

const VARIABLE: &str = "NORA_TEST_POSTGRES_URL";

/// Every test ends in this one line if nobody started a cluster.
const MISSING: &str = "NORA_TEST_POSTGRES_URL is not set: run `cargo xtask test`, which starts a PostgreSQL cluster, or \
                       set it to the URL of a superuser of a cluster whose databases may be thrown away";

/// A role with a password and a database of its own, both gone when it is dropped with [`Guest::leave`].
pub(crate) struct Guest {
    config: Config,
    pub(crate) name: String,
    admin: Client,
}

pub(crate) const PASSWORD: &str = "canary-päss-0123456789";

impl Guest {
    /// A guest by this name.
    pub(crate) async fn arrive(name: &str) -> Self {
        let config = superuser();
        let admin = connect(&config).await;
        let guest = Self { config, name: format!("nora_provider_{name}"), admin };
        guest.remove().await;
        guest.run(&format!("CREATE ROLE {} LOGIN PASSWORD '{PASSWORD}'", guest.name)).await;
        guest.run(&format!("CREATE DATABASE {}", guest.name)).await;
        guest
    }

    pub(crate) async fn run(&self, sql: &str) {
        self.admin.batch_execute(sql).await.unwrap();
    }

    /// Where the cluster listens.
    pub(crate) fn address(&self) -> SocketAddr {
        address(&self.config)
    }

    pub(crate) async fn leave(self) {
        self.remove().await;
    }

    async fn remove(&self) {
        self.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
        self.run(&format!("DROP ROLE IF EXISTS {}", self.name)).await;
    }
}

fn superuser() -> Config {
    #[expect(clippy::disallowed_methods, reason = "tests have no configuration but this variable")]
    let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty());
    let Some(url) = url else { panic!("{MISSING}") };
    url.parse().unwrap()
}

fn address(config: &Config) -> SocketAddr {
    let Some(Host::Tcp(host)) = config.get_hosts().first() else { panic!("the URL of the cluster names a host") };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port)).unwrap().next().unwrap()
}

async fn connect(config: &Config) -> Client {
    let stream = TcpStream::connect(address(config)).await.unwrap();
    let (client, connection) = config.connect_raw(stream, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

/// Tests a connection with these values, and shows that nothing in the outcome gives the password away.
pub(crate) async fn test(
    context: &LoopbackContext,
    user: &str,
    database: &str,
    password: &str,
    sslmode: &str,
) -> Outcome {
    let provider = nora_provider_postgresql::provider().unwrap();
    let config = json!({
        "host": "db.example.com", "port": 6432, "user": user, "database": database, "sslmode": sslmode,
    });
    let secrets = [("password".parse().unwrap(), nora_provider_sdk::Secret::new(password.to_owned()))];
    let secrets = secrets.into_iter().collect();
    let config = config.as_object().unwrap().clone();
    let outcome = provider.test(&Connection::new(provider.manifest(), &config, &secrets), context).await;
    assert!(!format!("{outcome:?}").contains(password), "the outcome shows the password");
    outcome
}
