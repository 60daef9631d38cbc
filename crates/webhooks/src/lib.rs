#![doc = include_str!("../README.md")]

mod backoff;
mod cache;
mod change;
mod channel;
mod channels;
mod config;
mod create;
mod deliver;
mod event;
mod events;
mod headers;
mod limiter;
mod lines;
mod lookup;
mod opened;
pub mod ports;
mod receive;
mod secrets;
mod types;

pub use cache::ChannelCache;
pub use change::{ChangeChannel, ChangeChannelError};
pub use channel::{
    Channel, ChannelName, ChannelType, InvalidChannelName, NewSecret, SECRET_COLUMN, SECRET_TABLE, SecretRole,
    StoredChannel, StoredSecret, Verification,
};
pub use channels::{ChannelError, Channels};
pub use create::{AnswerChannel, CreateChannel, CreateChannelError, Unguarded};
pub use deliver::{Deliverer, DeliveryStep};
pub use event::{Event, EventState, HANDLER_VERSION, OrderingKey, StoredEvent, Verdict};
pub use events::{EventError, MAX_REPLAYED};
pub use headers::{Headers, MalformedHeaders};
pub use limiter::{Overrun, WebhookLimiter};
pub use lookup::ChannelLookup;
pub use opened::OpenChannel;
pub use receive::{Inbound, Receipt, ReceiveError, Receiver};
pub use secrets::{AddSecret, AddSecretError, AnswerSecrets, DEFAULT_OVERLAP, MAX_SECRETS, SecretInfo};
// What a request is made of and answered with is the SDK's to say; whoever hands requests over needs no more of it.
pub use nora_provider_sdk::webhook::{DEFAULT_MAX_BODY, HandshakeMethod, InboundHeaders, Reply};
pub use types::{ChannelTypes, PublicUrl, TypeInfo};
