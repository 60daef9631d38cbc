//! How events reach a runtime.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use nora_agents::RuntimeKind;
use nora_kernel::address::Endpoint;
use nora_kernel::{AgentId, ChannelId, EventId, Secret, Timestamp};

use crate::{ChannelType, Headers, Verdict};

/// Where events for an agent go, and what opens it.
#[derive(Debug)]
pub struct Recipient {
    /// The agent.
    pub agent: AgentId,
    /// How its runtime is spoken to.
    pub kind: RuntimeKind,
    /// Where it listens.
    pub url: Option<Endpoint>,
    /// Its bearer token.
    pub token: Option<Secret>,
}

/// An event as a runtime is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The event, which the runtime tells repeated deliveries by.
    pub event: EventId,
    /// The channel it came in by.
    pub channel: ChannelId,
    /// The channel's type.
    pub kind: ChannelType,
    /// What the sender calls it.
    pub delivery_id: Option<String>,
    /// What kind of event it is.
    pub event_type: Option<String>,
    /// What it says, as text, as far as its type's reader can tell; empty where it cannot.
    pub content: String,
    /// Who says it, as far as its type's reader can tell.
    pub sender: Option<String>,
    /// How it was verified.
    pub verdict: Verdict,
    /// The headers that were kept.
    pub headers: Headers,
    /// The body as it was received.
    pub body: Bytes,
    /// When it came.
    pub received_at: Timestamp,
    /// Whether somebody asked for it once more.
    pub replay: bool,
}

macro_rules! failure_classes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// Why a delivery failed, as a class. Nothing of a peer's text is in it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum DeliveryFailureClass { $($(#[$doc])* $name),+ }

        impl DeliveryFailureClass {
            /// The class on the wire and in the databases.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            /// The class with this name.
            pub fn from_wire(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

failure_classes! {
    /// The host name does not resolve.
    Dns = "dns",
    /// The connection was refused or cut.
    Refused = "refused",
    /// No answer in time.
    Timeout = "timeout",
    /// No trusted TLS session could be made.
    Tls = "tls",
    /// The address lies outside the networks runtimes may live in.
    BlockedAddress = "blocked_address",
    /// The runtime does not accept its token.
    Auth = "auth",
    /// The runtime asked for a pause.
    RateLimited = "rate_limited",
    /// The runtime failed.
    RuntimeError = "runtime_error",
    /// The answer does not confirm the event.
    BadAnswer = "bad_answer",
    /// A runtime of this kind takes no events.
    UnsupportedRuntime = "unsupported_runtime",
    /// The runtime's own credentials do not open.
    Unreadable = "unreadable",
    /// A replay is not right under today's secrets; it was not sent.
    Unverified = "unverified",
    /// This service could not do it.
    Internal = "internal",
}

impl fmt::Display for DeliveryFailureClass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// An attempt failed, or nobody knows that it did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the runtime did not confirm the event: {class}")]
pub struct DeliveryError {
    /// The class.
    pub class: DeliveryFailureClass,
    /// The pause the runtime asked for.
    pub retry_after: Option<Duration>,
}

/// Hands events to runtimes.
#[async_trait]
pub trait RuntimeDelivery: Send + Sync {
    /// Delivers one event. `Ok` means that the runtime confirmed this very event.
    async fn deliver(&self, recipient: &Recipient, message: &Message) -> Result<(), DeliveryError>;
}
