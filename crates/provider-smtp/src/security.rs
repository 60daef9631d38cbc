//! Connecting, with as much TLS as is asked for.

use nora_provider_sdk::{Context, NetworkError, Outcome, Transport, Unreachable};

use crate::classify::{Failure, classify};
use crate::extensions::Extensions;
use crate::session::Session;

/// Where TLS comes first whatever is set.
pub(crate) const IMPLICIT_TLS_PORT: u16 = 465;

const NOT_OFFERED: &str = "The server offers no STARTTLS here. Choose tls with port 465, or ask its operator.";
const TLS_COMES_LATER: &str =
    "No trusted TLS session could be made from the start. If the server wants STARTTLS first, choose starttls.";

/// When TLS is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// After the greeting.
    Starttls,
    /// At once.
    Tls,
    /// Never.
    None,
}

impl Security {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "starttls" => Some(Self::Starttls),
            "tls" => Some(Self::Tls),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// Connects, greets, and starts TLS. What the server can do is what it says last.
pub(crate) async fn open(
    host: &str,
    port: u16,
    security: Security,
    context: &dyn Context,
) -> Result<(Session, Extensions), Failure> {
    let security = if port == IMPLICIT_TLS_PORT { Security::Tls } else { security };
    let mut stream = match security {
        Security::None => {
            let stream = context.connect(host, port, Transport::Plaintext).await;
            stream.map_err(Outcome::unreachable_in_the_clear)?
        }
        Security::Starttls | Security::Tls => context.connect(host, port, Transport::Tls).await?,
    };
    if security == Security::Tls {
        stream = context.start_tls(stream, host).await.map_err(|error| match error {
            NetworkError::Tls => Failure::from(Outcome::unreachable(error.into()).advise(TLS_COMES_LATER)),
            other => other.into(),
        })?;
    }
    let mut session = Session::new(stream);
    let greeting = session.listen().await?;
    if greeting.code != 220 {
        return Err(classify(greeting.code).into());
    }
    let extensions = Extensions::ask(&mut session).await?;
    match security {
        Security::Starttls => upgrade(session, &extensions, host, context).await,
        Security::Tls | Security::None => Ok((session, extensions)),
    }
}

async fn upgrade(
    mut session: Session,
    offered: &Extensions,
    host: &str,
    context: &dyn Context,
) -> Result<(Session, Extensions), Failure> {
    if !offered.starttls {
        return Err(Outcome::unreachable(Unreachable::Tls).advise(NOT_OFFERED).into());
    }
    let reply = session.say("STARTTLS").await?;
    if reply.code != 220 {
        return Err(Outcome::unreachable(Unreachable::Tls).advise(NOT_OFFERED).into());
    }
    let stream = session.into_stream().ok_or(NetworkError::Protocol)?;
    let stream = context.start_tls(stream, host).await?;
    let mut session = Session::new(stream);
    let extensions = Extensions::ask(&mut session).await?;
    Ok((session, extensions))
}
