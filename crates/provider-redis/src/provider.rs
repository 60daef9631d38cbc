//! The provider.

use async_trait::async_trait;
use nora_provider_sdk::{Connection, Context, Manifest, ManifestError, Outcome, Provider, Stream, Transport};

use crate::classify::Failure;
use crate::login::{Login, log_in};
use crate::session::Session;

const NO_TLS: &str = "No TLS session could be made. If the server speaks no TLS, switch TLS off for this connection.";

/// Redis.
#[derive(Debug)]
pub struct Redis {
    manifest: Manifest,
}

impl Redis {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("redis.toml", include_str!("../manifest.toml")).map(|manifest| Self { manifest })
    }
}

#[async_trait]
impl Provider for Redis {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        match Target::read(connection) {
            Some(target) => target.test(context).await.unwrap_or_else(Failure::into_outcome),
            None => Outcome::unverifiable("Nothing was sent: a host, a port and a database number are needed."),
        }
    }
}

/// Where to log in, and as whom.
struct Target {
    host: String,
    port: u16,
    tls: bool,
    login: Login,
}

impl Target {
    fn read(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            host: connection.text("host")?,
            port: connection.text("port")?.parse().ok()?,
            tls: connection.text("tls")?.parse().ok()?,
            login: Login::read(connection)?,
        })
    }

    async fn test(self, context: &dyn Context) -> Result<Outcome, Failure> {
        let mut session = Session::new(self.connect(context).await?);
        let outcome = log_in(&mut session, &self.login).await?;
        session.leave().await;
        Ok(outcome)
    }

    async fn connect(&self, context: &dyn Context) -> Result<Box<dyn Stream>, Failure> {
        if !self.tls {
            let transport = if self.login.is_something() { Transport::Plaintext } else { Transport::Tls };
            let stream = context.connect(&self.host, self.port, transport).await;
            return stream.map_err(|error| Outcome::unreachable_in_the_clear(error).into());
        }
        let stream = context.connect(&self.host, self.port, Transport::Tls).await?;
        context.start_tls(stream, &self.host).await.map_err(|error| {
            // A server without TLS takes the request for it as the beginning of a command, and waits for the rest.
            let outcome = Outcome::unreachable(error.into());
            outcome.advise(NO_TLS).into()
        })
    }
}
