//! Starting TLS, as the protocol wants it asked for.

use std::io;

use nora_provider_sdk::{Context, NetworkError, Outcome, Stream, Unreachable};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// `SSLRequest`: its own length, and the code that stands for it.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

const NO_TLS: &str = "The server speaks no TLS. Switch it on there, or choose another sslmode.";
const NOT_POSTGRESQL: &str = "What answers there is not PostgreSQL. Check the host and the port.";

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
///
/// One byte of the answer is read and no more, so that nothing which came in the clear counts as said over TLS.
pub(crate) async fn secure(
    mut stream: Box<dyn Stream>,
    mode: TlsMode,
    host: &str,
    context: &dyn Context,
) -> Result<Option<Box<dyn Stream>>, Box<Outcome>> {
    let answer = ask(&mut stream).await.map_err(|error| Box::new(Outcome::unreachable(broken(&error).into())))?;
    match (answer, mode) {
        (b'S', _) => {
            let secured = context.start_tls(stream, host).await;
            secured.map(Some).map_err(|error| Box::new(Outcome::unreachable(error.into())))
        }
        (b'N', TlsMode::Prefer) => Ok(None),
        (b'N', _) => Err(Box::new(Outcome::unreachable(Unreachable::Tls).advise(NO_TLS))),
        _ => Err(Box::new(Outcome::unreachable(Unreachable::UpstreamError).advise(NOT_POSTGRESQL))),
    }
}

async fn ask(stream: &mut Box<dyn Stream>) -> io::Result<u8> {
    stream.write_all(&SSL_REQUEST).await?;
    stream.flush().await?;
    stream.read_u8().await
}

/// What a broken stream means.
pub(crate) fn broken(error: &io::Error) -> NetworkError {
    match error.kind() {
        io::ErrorKind::TimedOut => NetworkError::Timeout,
        _ => NetworkError::Refused,
    }
}
