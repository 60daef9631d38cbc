//! The provider.

use async_trait::async_trait;
use nora_provider_sdk::{Account, Connection, Context, Manifest, ManifestError, Outcome, Provider, Secret};

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

    async fn test(self, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let unreachable = |error: nora_provider_sdk::NetworkError| Box::new(Outcome::unreachable(error.into()));
        let stream = context.connect(&self.host, self.port).await.map_err(unreachable)?;
        let stream = secure(stream, self.tls, &self.host, context).await?;
        let identity = log_in(stream, &self.login).await?;
        Ok(Outcome::verified(Account::new(&format!("{} in {}", identity.user, identity.database))))
    }
}
