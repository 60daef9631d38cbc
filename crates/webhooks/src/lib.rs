#![doc = include_str!("../README.md")]

mod channel;
mod event;
mod headers;
pub mod ports;

pub use channel::{
    Channel, ChannelName, ChannelType, InvalidChannelName, NewSecret, SECRET_COLUMN, SECRET_TABLE, SecretRole,
    StoredChannel, StoredSecret, Verification,
};
pub use event::{Event, EventState, HANDLER_VERSION, OrderingKey, StoredEvent, Verdict};
pub use headers::{Headers, MalformedHeaders};
