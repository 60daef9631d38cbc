//! Logging in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_provider_sdk::{Outcome, Secret};

use crate::classify::{Failure, classify};
use crate::extensions::Extensions;
use crate::session::{Reply, Session};

/// The protocol's longest command is 512 bytes; a longer credential goes on a line of its own.
const LONGEST_ON_COMMAND: usize = 490;

const TLS_FIRST: &str = "Nothing was sent: the server offers a login over TLS alone. Choose starttls.";
const NO_PASSWORD_LOGIN: &str = "Nothing was sent: the server offers no login by password here. Check the port.";

/// As whom to log in.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
}

/// Logs in, and tries the connection.
pub(crate) async fn log_in(session: &mut Session, offered: &Extensions, login: &Login) -> Result<(), Failure> {
    if offered.plain {
        plain(session, login).await?;
    } else if offered.login {
        in_two_steps(session, login).await?;
    } else {
        // Over TLS nobody offers STARTTLS again.
        return Err(Outcome::unverifiable(if offered.starttls { TLS_FIRST } else { NO_PASSWORD_LOGIN }).into());
    }
    expect(session, "NOOP", 250).await
}

/// `AUTH PLAIN`: user and password in one piece, at once or when asked for.
async fn plain(session: &mut Session, login: &Login) -> Result<(), Failure> {
    let pair = Secret::new(format!("\0{}\0{}", login.user, login.password.expose()));
    let pair = encoded(pair.expose());
    let command = match pair.expose() {
        long if long.len() > LONGEST_ON_COMMAND => Secret::new("AUTH PLAIN".to_owned()),
        short => Secret::new(format!("AUTH PLAIN {short}")),
    };
    let mut reply = session.say(command.expose()).await?;
    if reply.code == 334 {
        reply = session.say(pair.expose()).await?;
    }
    is(&reply, 235)
}

/// `AUTH LOGIN`: first the user, then the password.
async fn in_two_steps(session: &mut Session, login: &Login) -> Result<(), Failure> {
    expect(session, "AUTH LOGIN", 334).await?;
    expect(session, encoded(&login.user).expose(), 334).await?;
    expect(session, encoded(login.password.expose()).expose(), 235).await
}

fn encoded(text: &str) -> Secret {
    Secret::new(STANDARD.encode(text))
}

async fn expect(session: &mut Session, line: &str, code: u16) -> Result<(), Failure> {
    is(&session.say(line).await?, code)
}

fn is(reply: &Reply, code: u16) -> Result<(), Failure> {
    if reply.code == code { Ok(()) } else { Err(classify(reply.code).into()) }
}
