//! Logging in, and asking who one is.

use nora_provider_sdk::{Account, Connection, NetworkError, Outcome, Secret};

use crate::classify::{Failure, Step, classify};
use crate::session::{Reply, Session};

/// The user one is without saying a name.
const DEFAULT_USER: &str = "default";

const OPEN: &str = "The server asks for no password, so no credential was proved: whoever reaches it may use it.";

/// As whom to log in, and into which database.
pub(crate) struct Login {
    /// `None` for the default user.
    user: Option<String>,
    password: Option<Secret>,
    database: u32,
}

impl Login {
    pub(crate) fn read(connection: &Connection<'_>) -> Option<Self> {
        Some(Self {
            user: connection.text("username").filter(|user| user != DEFAULT_USER),
            password: connection.secret("password").filter(|password| !password.is_empty()).map(Secret::duplicate),
            database: connection.text("db")?.parse().ok()?,
        })
    }

    /// Whether there is anything to log in with.
    pub(crate) fn is_something(&self) -> bool {
        self.command().is_some()
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

/// Logs in, tries the connection, and asks who one is.
pub(crate) async fn log_in(session: &mut Session, login: &Login) -> Result<Outcome, Failure> {
    let command = login.command();
    if let Some(command) = &command {
        expect(session, Step::Login, command, "OK").await?;
    }
    expect(session, Step::Use, &["PING"], "PONG").await?;
    if login.database > 0 {
        expect(session, Step::Database, &["SELECT", &login.database.to_string()], "OK").await?;
    }
    // Older servers do not know the question, and an ACL may forbid it. Everything is proved by now.
    let word = session.ask(&["ACL", "WHOAMI"]).await.ok();
    let outcome = Outcome::verified(login.account(word));
    Ok(if command.is_none() { outcome.advise(OPEN) } else { outcome })
}

async fn expect(session: &mut Session, step: Step, words: &[&str], wanted: &str) -> Result<(), Failure> {
    match session.ask(words).await? {
        Reply::Text(text) if text == wanted => Ok(()),
        Reply::Text(_) => Err(NetworkError::Protocol.into()),
        Reply::Error(error) => Err(classify(step, &error).into()),
    }
}
