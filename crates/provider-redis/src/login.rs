//! Logging in, and asking who one is.

use async_trait::async_trait;
use nora_provider_sdk::{
    Account, Attempt, Connection, Context, NetworkError, Outcome, Secret, Transport, Unready, Wire,
};

use crate::classify::{Step, classify};
use crate::session::{Reply, Session};

/// The user one is without saying a name.
const DEFAULT_USER: &str = "default";

const INCOMPLETE: &str = "Nothing was sent: a host, a port and a database number are needed.";
const NO_TLS: &str = "No TLS session could be made. If the server speaks no TLS, switch TLS off for this connection.";
const OPEN: &str = "The server asks for no password, so no credential was proved: whoever reaches it may use it.";

/// Where to log in, as whom, and into which database.
pub(crate) struct Login {
    host: String,
    port: u16,
    tls: bool,
    /// `None` for the default user.
    user: Option<String>,
    password: Option<Secret>,
    database: u32,
}

#[async_trait]
impl Attempt for Login {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        Self::find(connection).ok_or(Unready::Untestable(INCOMPLETE))
    }

    async fn run(self, _: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let mut session = Session(self.connect(context).await?);
        let outcome = self.log_in(&mut session).await?;
        session.0.leave().await;
        Ok(outcome)
    }
}

impl Login {
    fn find(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            host: connection.text("host")?,
            port: connection.parsed("port")?,
            tls: connection.parsed("tls")?,
            user: connection.text("username").filter(|user| user != DEFAULT_USER),
            password: connection.entered("password").map(Secret::duplicate),
            database: connection.parsed("db")?,
        })
    }

    async fn connect(&self, context: &dyn Context) -> Result<Wire, Box<Outcome>> {
        let may_go_in_the_clear = !self.tls && self.command().is_some();
        let transport = if may_go_in_the_clear { Transport::Plaintext } else { Transport::Tls };
        let wire = Wire::connect(context, &self.host, self.port, transport).await?;
        if !self.tls {
            return Ok(wire);
        }
        // A server without TLS takes the request for it as the beginning of a command, and waits for the rest.
        let secured = wire.start_tls(context, &self.host).await;
        secured.map_err(|error| Outcome::unreachable(error.into()).advise(NO_TLS).into())
    }

    /// Logs in, tries the connection, and asks who one is.
    async fn log_in(&self, session: &mut Session) -> Result<Outcome, Box<Outcome>> {
        let command = self.command();
        if let Some(command) = &command {
            expect(session, Step::Login, command, "OK").await?;
        }
        expect(session, Step::Use, &["PING"], "PONG").await?;
        if self.database > 0 {
            expect(session, Step::Database, &["SELECT", &self.database.to_string()], "OK").await?;
        }
        // Older servers do not know the question, and an ACL may forbid it. Everything is proved by now.
        let word = session.ask(&["ACL", "WHOAMI"]).await.ok();
        let outcome = Outcome::verified(self.account(word));
        Ok(if command.is_none() { outcome.advise(OPEN) } else { outcome })
    }

    /// `None` where there is nothing to log in with.
    ///
    /// The default user goes without its name: old servers know none, and a server without a password refuses to be
    /// told one this way alone.
    fn command(&self) -> Option<Vec<&str>> {
        match (&self.user, &self.password) {
            (None, None) => None,
            (None, Some(password)) => Some(vec!["AUTH", password.expose()]),
            (Some(user), password) => Some(vec!["AUTH", user, password.as_ref().map_or("", Secret::expose)]),
        }
    }

    /// The account by the server's word, which must not be the password; else by our own.
    fn account(&self, word: Option<Reply>) -> Option<Account> {
        let name = match word {
            Some(Reply::Text(name)) => Some(name),
            Some(Reply::Error(_)) | None => self.user.clone(),
        };
        let shows_password = |name: &String| self.password.as_ref().is_some_and(|word| name.contains(word.expose()));
        name.filter(|name| !shows_password(name)).as_deref().and_then(Account::new)
    }
}

async fn expect(session: &mut Session, step: Step, words: &[&str], wanted: &str) -> Result<(), Box<Outcome>> {
    match session.ask(words).await? {
        Reply::Text(text) if text == wanted => Ok(()),
        Reply::Text(_) => Err(NetworkError::Protocol.into()),
        Reply::Error(error) => Err(classify(step, &error).into()),
    }
}
