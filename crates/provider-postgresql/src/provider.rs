//! The provider.

use async_trait::async_trait;
use nora_provider_sdk::{
    Account, Connection, Context, Manifest, ManifestError, Outcome, Provider, Secret, Stream, Transport,
};

use crate::login::{Login, log_in};
use crate::tls::{TlsMode, secure};

/// PostgreSQL.
#[derive(Debug)]
pub struct Postgresql {
    manifest: Manifest,
}

impl Postgresql {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("postgresql.toml", include_str!("../manifest.toml")).map(|manifest| Self { manifest })
    }
}

#[async_trait]
impl Provider for Postgresql {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        match Target::read(connection) {
            Some(target) => target.test(context).await.unwrap_or_else(|outcome| *outcome),
            None => Outcome::unverifiable("Nothing was sent: host, database, user and password are needed."),
        }
    }
}

/// Where to log in, and as whom.
struct Target {
    host: String,
    port: u16,
    tls: TlsMode,
    login: Login,
}

impl Target {
    fn read(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            host: connection.text("host")?,
            port: connection.text("port")?.parse().ok()?,
            tls: TlsMode::parse(&connection.text("sslmode")?)?,
            login: Login {
                user: connection.text("user")?,
                database: connection.text("database")?,
                password: connection.secret("password").map(Secret::duplicate)?,
            },
        })
    }

    /// A server without TLS is called again if it may be, as one that is told the login in the clear.
    async fn connect(&self, context: &dyn Context) -> Result<Box<dyn Stream>, Box<Outcome>> {
        if self.tls != TlsMode::Disable {
            let stream = context.connect(&self.host, self.port, Transport::Tls).await;
            let stream = stream.map_err(|error| Box::new(Outcome::unreachable(error.into())))?;
            if let Some(secured) = secure(stream, self.tls, &self.host, context).await? {
                return Ok(secured);
            }
        }
        let stream = context.connect(&self.host, self.port, Transport::Plaintext).await;
        stream.map_err(|error| Box::new(Outcome::unreachable_in_the_clear(error)))
    }

    async fn test(self, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let stream = self.connect(context).await?;
        let identity = log_in(stream, &self.login).await?;
        Ok(Outcome::verified(Account::new(&format!("{} in {}", identity.user, identity.database))))
    }
}
