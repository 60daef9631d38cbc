//! A WebSocket to a gateway, through the guard.

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use nora_integrations::ports::{FailureClass, PushError};
use nora_kernel::address::Endpoint;
use nora_net_guard::Guard;
use nora_provider_sdk::{NetworkError, Stream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use zeroize::Zeroizing;

use crate::body::Wiped;
use crate::failure;

/// The largest message taken; a gateway's own limit is 25 MiB.
const LARGEST_MESSAGE: usize = 16 * 1024 * 1024;

pub(super) struct Socket(WebSocketStream<Box<dyn Stream>>);

impl Socket {
    /// Connects. No `Origin` is sent: a gateway holds those to a list meant for browsers.
    pub(super) async fn open(guard: &Guard, url: &Endpoint) -> Result<Self, PushError> {
        let stream = dial(guard, url).await.map_err(failure::of_network)?;
        let mut config = WebSocketConfig::default();
        config.max_message_size = Some(LARGEST_MESSAGE);
        config.max_frame_size = Some(LARGEST_MESSAGE);
        match client_async_with_config(url.url().as_str(), stream, Some(config)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(error) => Err(of_web_socket(&error)),
        }
    }

    /// Sends a text.
    pub(super) async fn send(&mut self, json: Zeroizing<Vec<u8>>) -> Result<(), PushError> {
        let text = Utf8Bytes::try_from(Bytes::from_owner(Wiped(json)));
        let text = text.map_err(|_| PushError::failed(FailureClass::Internal))?;
        self.0.send(Message::Text(text)).await.map_err(|error| of_web_socket(&error))
    }

    /// The next text. Pings are answered meanwhile.
    pub(super) async fn next(&mut self) -> Result<Utf8Bytes, PushError> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                // 1008 is a policy of the gateway's; every other end is one that a new connection may not meet.
                Some(Ok(Message::Close(Some(frame)))) if frame.code == CloseCode::Policy => {
                    return Err(PushError::failed(FailureClass::Rejected));
                }
                None | Some(Ok(Message::Close(_))) => return Err(PushError::failed(FailureClass::Refused)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(of_web_socket(&error)),
            }
        }
    }

    /// Says goodbye. Whoever is gone already does not hear it.
    pub(super) async fn close(mut self) {
        let _ = self.0.close(None).await;
    }
}

async fn dial(guard: &Guard, url: &Endpoint) -> Result<Box<dyn Stream>, NetworkError> {
    let transport = guard.check_url(url.url())?;
    let stream = guard.dial(url.host(), url.port(), transport).await?;
    if url.is_tls() { Ok(Box::new(guard.start_tls(stream, url.host()).await?)) } else { Ok(Box::new(stream)) }
}

/// The library's errors can hold what was sent, so none of them is ever shown.
fn of_web_socket(error: &Error) -> PushError {
    PushError::failed(match error {
        Error::Http(answer) if answer.status().is_server_error() => FailureClass::ServerError,
        Error::Http(answer) if answer.status().is_client_error() => FailureClass::Rejected,
        Error::ConnectionClosed | Error::AlreadyClosed | Error::Io(_) => FailureClass::Refused,
        Error::Tls(_) => FailureClass::Tls,
        _ => FailureClass::BadAnswer,
    })
}
