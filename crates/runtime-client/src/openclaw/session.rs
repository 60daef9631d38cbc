//! One connection to a gateway, from the challenge to the last call.

use std::time::Duration;

use nora_integrations::ports::{FailureClass, GatewayAddress, PushError};
use nora_net_guard::Guard;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::failure::of_refusal;
use super::frame::{self, Outcome, Request, RpcError};
use super::handshake::{Challenge, Hello, connect};
use super::socket::Socket;
use crate::json;

/// A gateway gives up on a handshake after this time itself.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// One call.
const CALL: Duration = Duration::from_secs(15);

/// Why a call brought no answer to work with.
pub(super) enum CallError {
    /// The gateway refused it, and listens on.
    Refused(RpcError),
    /// The connection is of no use any more.
    Lost(PushError),
}

impl From<CallError> for PushError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(error) => of_refusal(&error),
            CallError::Lost(error) => error,
        }
    }
}

pub(super) struct Session {
    socket: Socket,
    hello: Hello,
    calls: u32,
}

impl Session {
    /// Connects, and holds the gateway to what a push needs of it.
    pub(super) async fn open(guard: &Guard, gateway: &GatewayAddress) -> Result<Self, PushError> {
        let opened = timeout(HANDSHAKE, Self::shake_hands(guard, gateway)).await;
        let session = opened.unwrap_or(Err(PushError::failed(FailureClass::Timeout)))?;
        session.hello.check()?;
        Ok(session)
    }

    async fn shake_hands(guard: &Guard, gateway: &GatewayAddress) -> Result<Self, PushError> {
        let mut socket = Socket::open(guard, &gateway.url).await?;
        let challenge: Challenge = loop {
            if let Some(challenge) = frame::event(&socket.next().await?, "connect.challenge") {
                break challenge;
            }
        };
        let params = connect(gateway, &challenge)?;
        let hello = exchange(&mut socket, "0", "connect", &params).await?;
        Ok(Self { socket, hello, calls: 0 })
    }

    /// What the gateway said of itself.
    pub(super) const fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Calls a method. The first answer counts; gateways answer some calls twice.
    pub(super) async fn call<T>(&mut self, method: &str, params: &impl Serialize) -> Result<T, CallError>
    where
        T: DeserializeOwned,
    {
        self.calls = self.calls.saturating_add(1);
        let id = self.calls.to_string();
        let exchange = exchange(&mut self.socket, &id, method, params);
        timeout(CALL, exchange).await.unwrap_or(Err(CallError::Lost(PushError::failed(FailureClass::Timeout))))
    }

    /// Ends the connection.
    pub(super) async fn close(self) {
        self.socket.close().await;
    }
}

async fn exchange<T: DeserializeOwned>(
    socket: &mut Socket,
    id: &str,
    method: &str,
    params: &impl Serialize,
) -> Result<T, CallError> {
    let request = json::encode(&Request::new(id, method, params));
    let request = request.ok_or(CallError::Lost(PushError::failed(FailureClass::Internal)))?;
    socket.send(request).await.map_err(CallError::Lost)?;
    loop {
        let text = socket.next().await.map_err(CallError::Lost)?;
        match frame::answer(&text, id) {
            Some(Outcome::Accepted(payload)) => return Ok(payload),
            Some(Outcome::Refused(error)) => return Err(CallError::Refused(error)),
            Some(Outcome::Malformed) => return Err(CallError::Lost(PushError::failed(FailureClass::BadAnswer))),
            // An event, or another answer to an earlier call.
            None => {}
        }
    }
}
