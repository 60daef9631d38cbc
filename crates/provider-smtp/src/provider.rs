//! The provider.

use async_trait::async_trait;
use nora_provider_sdk::{Account, Connection, Context, Manifest, ManifestError, Outcome, Provider, Secret};

use crate::classify::Failure;
use crate::login::{Login, log_in};
use crate::security::{IMPLICIT_TLS_PORT, Security, open};

const NOT_THE_SENDER: &str = "No mail was sent. Whether the server takes the From address shows when the first one is.";
const PORT_SAYS_TLS: &str =
    "Port 465 speaks TLS from the start, and so the test did. Choose tls, so that agents do too.";

/// Mail submission over SMTP.
#[derive(Debug)]
pub struct Smtp {
    manifest: Manifest,
}

impl Smtp {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("email.toml", include_str!("../manifest.toml")).map(|manifest| Self { manifest })
    }
}

#[async_trait]
impl Provider for Smtp {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        match Target::read(connection) {
            Some(target) => target.test(context).await.unwrap_or_else(Failure::into_outcome),
            None => Outcome::unverifiable("Nothing was sent: a host, a port, a user and a password are needed."),
        }
    }
}

/// Where to log in, and as whom.
struct Target {
    host: String,
    port: u16,
    security: Security,
    login: Login,
}

impl Target {
    fn read(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            host: connection.text("smtp_host")?,
            port: connection.text("smtp_port")?.parse().ok()?,
            security: Security::parse(&connection.text("security")?)?,
            login: Login {
                user: connection.text("smtp_user")?,
                password: connection.secret("smtp_pass").map(Secret::duplicate)?,
            },
        })
    }

    async fn test(self, context: &dyn Context) -> Result<Outcome, Failure> {
        let (mut session, extensions) = open(&self.host, self.port, self.security, context).await?;
        log_in(&mut session, &extensions, &self.login).await?;
        session.leave().await;
        let needs_word = self.port == IMPLICIT_TLS_PORT && self.security != Security::Tls;
        Ok(Outcome::verified(self.account()).advise(if needs_word { PORT_SAYS_TLS } else { NOT_THE_SENDER }))
    }

    /// Some services take one token as user and password, and that is not shown.
    fn account(&self) -> Option<Account> {
        let user = &self.login.user;
        if user.contains(self.login.password.expose()) {
            return None;
        }
        Account::new(&format!("{user} at {}", self.host))
    }
}
