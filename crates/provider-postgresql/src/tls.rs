//! Starting TLS, as the protocol wants it asked for.

use nora_provider_sdk::{Context, NetworkError, Outcome, Unreachable, Wire};

/// `SSLRequest`: its own length, and the code that stands for it.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

const NO_TLS: &str = "The server speaks no TLS. Switch it on there, or choose another sslmode.";

/// How much TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// None.
    Disable,
    /// If the server has it.
    Prefer,
    /// Or nothing. The modes that differ in what they verify are one here: everything is verified.
    Require,
}

impl TlsMode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "disable" => Some(Self::Disable),
            "prefer" => Some(Self::Prefer),
            "require" | "verify-ca" | "verify-full" => Some(Self::Require),
            _ => None,
        }
    }
}

/// Asks the server for TLS and starts it; `None` if it speaks none and need not.
pub(crate) async fn secure(
    mut wire: Wire,
    mode: TlsMode,
    host: &str,
    context: &dyn Context,
) -> Result<Option<Wire>, Box<Outcome>> {
    wire.send(&SSL_REQUEST).await?;
    match (&wire.array().await?, mode) {
        (b"S", _) => Ok(Some(wire.start_tls(context, host).await?)),
        (b"N", TlsMode::Prefer) => Ok(None),
        (b"N", _) => Err(Outcome::unreachable(Unreachable::Tls).advise(NO_TLS).into()),
        _ => Err(NetworkError::Protocol.into()),
    }
}
