#![doc = include_str!("../README.md")]

pub mod address;
pub mod audit;
mod caller;
mod error;
mod id;
mod idempotency;
mod name;
mod page;
mod ports;
mod scope;
mod secret;
mod text;
mod time;
mod vault;

pub use caller::{Caller, Reach, RequestId, WorkspaceForbidden};
pub use error::{BoxError, Unavailable};
pub use id::{AgentId, ApiKeyId, AuditId, ChannelId, ChannelSecretId, EventId, IntegrationId, ParseIdError, TargetId};
pub use idempotency::{
    Idempotency, IdempotencyKey, IdempotencyTaken, IdempotentRequest, InvalidIdempotencyKey, StoredAnswer,
};
pub use name::{EnvName, FieldName, InvalidName, Label, ProviderId, Workspace};
pub use page::{Cursor, InvalidCursor, InvalidLimit, Page, PageLimit, PageRequest};
pub use ports::{Clock, Digest, Entropy, IdSource, Readiness};
pub use scope::{Scope, Scopes, UnknownScope};
pub use secret::{Secret, SecretMap};
pub use text::is_hidden;
pub use time::{InvalidTimestamp, Timestamp};
pub use vault::{OpenError, Purpose, SealContext, SealError, Sealed, Vault, WrappedKey};
