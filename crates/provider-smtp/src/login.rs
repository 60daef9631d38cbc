//! Logging in.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_provider_sdk::{Account, Attempt, Connection, Context, Outcome, Secret, Unready};

use crate::extensions::Extensions;
use crate::security::{IMPLICIT_TLS_PORT, Security, open};
use crate::session::{Reply, Session};

/// The protocol's longest command is 512 bytes; a longer credential goes on a line of its own.
const LONGEST_ON_COMMAND: usize = 490;

const INCOMPLETE: &str = "Nothing was sent: a host, a port, a user and a password are needed.";
const NOT_THE_SENDER: &str = "No mail was sent. Whether the server takes the From address shows when the first one is.";
const PORT_SAYS_TLS: &str =
    "Port 465 speaks TLS from the start, and so the test did. Choose tls, so that agents do too.";
const TLS_FIRST: &str = "Nothing was sent: the server offers a login over TLS alone. Choose starttls.";
const NO_PASSWORD_LOGIN: &str = "Nothing was sent: the server offers no login by password here. Check the port.";

/// Where to log in, and as whom.
pub(crate) struct Login {
    host: String,
    port: u16,
    security: Security,
    user: String,
    password: Secret,
}

#[async_trait]
impl Attempt for Login {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        Self::find(connection).ok_or(Unready::Untestable(INCOMPLETE))
    }

    async fn run(self, _: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let (mut session, offered) = open(&self.host, self.port, self.security, context).await?;
        self.log_in(&mut session, &offered).await?;
        session.expect("NOOP", 250).await?;
        session.leave().await;
        let needs_word = self.port == IMPLICIT_TLS_PORT && self.security != Security::Tls;
        Ok(Outcome::verified(self.account()).advise(if needs_word { PORT_SAYS_TLS } else { NOT_THE_SENDER }))
    }
}

impl Login {
    fn find(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            host: connection.text("smtp_host")?,
            port: connection.parsed("smtp_port")?,
            security: Security::parse(&connection.text("security")?)?,
            user: connection.text("smtp_user")?,
            password: connection.secret("smtp_pass").map(Secret::duplicate)?,
        })
    }

    async fn log_in(&self, session: &mut Session, offered: &Extensions) -> Result<Reply, Box<Outcome>> {
        if offered.plain {
            return self.plain(session).await;
        }
        if offered.login {
            session.expect("AUTH LOGIN", 334).await?;
            session.expect(encoded(&self.user).expose(), 334).await?;
            return session.expect(encoded(self.password.expose()).expose(), 235).await;
        }
        // Over TLS nobody offers STARTTLS again.
        Err(Outcome::unverifiable(if offered.starttls { TLS_FIRST } else { NO_PASSWORD_LOGIN }).into())
    }

    /// `AUTH PLAIN`: user and password in one piece, at once or when asked for.
    async fn plain(&self, session: &mut Session) -> Result<Reply, Box<Outcome>> {
        let pair = Secret::new(format!("\0{}\0{}", self.user, self.password.expose()));
        let pair = encoded(pair.expose());
        let command = match pair.expose() {
            long if long.len() > LONGEST_ON_COMMAND => Secret::new("AUTH PLAIN".to_owned()),
            short => Secret::new(format!("AUTH PLAIN {short}")),
        };
        let mut reply = session.say(command.expose()).await?;
        if reply.code == 334 {
            reply = session.say(pair.expose()).await?;
        }
        reply.of(235)
    }

    /// Some services take one token as user and password, and that is not shown.
    fn account(&self) -> Option<Account> {
        let is_shown = !self.user.contains(self.password.expose());
        is_shown.then(|| Account::new(&format!("{} at {}", self.user, self.host)))?
    }
}

fn encoded(text: &str) -> Secret {
    Secret::new(STANDARD.encode(text))
}
