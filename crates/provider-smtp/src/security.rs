//! Connecting, with as much TLS as is asked for.

use nora_provider_sdk::{Context, Outcome, Transport, Unreachable, Verdict, Wire};

use crate::extensions::Extensions;
use crate::session::Session;

/// Where TLS comes first whatever is set.
pub(crate) const IMPLICIT_TLS_PORT: u16 = 465;

const NO_TLS: Verdict = Verdict::Unreachable(Unreachable::Tls);

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
) -> Result<(Session, Extensions), Box<Outcome>> {
    let security = if port == IMPLICIT_TLS_PORT { Security::Tls } else { security };
    let transport = if security == Security::None { Transport::Plaintext } else { Transport::Tls };
    let mut wire = Wire::connect(context, host, port, transport).await?;
    if security == Security::Tls {
        let secured = wire.start_tls(context, host).await.map_err(Box::<Outcome>::from);
        wire = secured.map_err(|outcome| outcome.advise_on(&NO_TLS, TLS_COMES_LATER))?;
    }
    let mut session = Session(wire);
    session.listen().await?.of(220)?;
    let mut extensions = Extensions::ask(&mut session).await?;
    if security == Security::Starttls {
        if !extensions.starttls || session.say("STARTTLS").await?.code != 220 {
            return Err(Outcome::unreachable(Unreachable::Tls).advise(NOT_OFFERED).into());
        }
        session = Session(session.0.start_tls(context, host).await?);
        extensions = Extensions::ask(&mut session).await?;
    }
    Ok((session, extensions))
}
