//! Where what comes in is kept before it is answered.

use async_trait::async_trait;
use bytes::Bytes;
use nora_kernel::{ChannelId, ChannelSecretId, EventId, Timestamp, Unavailable};

use crate::{Headers, OrderingKey, Verdict};

/// An event to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// The channel it came in by.
    pub channel: ChannelId,
    /// When it came.
    pub received_at: Timestamp,
    /// How it was verified: [`Verified`](Verdict::Verified) or [`Unverified`](Verdict::Unverified).
    pub verdict: Verdict,
    /// Which secret verified it.
    pub verified_by: Option<ChannelSecretId>,
    /// The version of the rules it was verified by.
    pub handler: u16,
    /// What the sender calls it, for people. A store that cannot hold a NUL in it shows U+FFFD instead.
    pub delivery_id: Option<String>,
    /// What makes it the same event as another one of its channel; only ever there for a verified one.
    pub dedupe_key: Option<[u8; 32]>,
    /// What kind of event it is, kept like the delivery's id.
    pub event_type: Option<String>,
    /// Which lane of its channel it is delivered in.
    pub ordering_key: OrderingKey,
    /// The raw query of the request's URL, without the question mark.
    pub query: String,
    /// The headers to keep, secrets masked.
    pub headers: Headers,
    /// The body as it was received.
    pub body: Bytes,
}

/// What became of one event of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Appended {
    /// It is kept, and its delivery is due at once.
    Kept,
    /// An event with its dedupe key was kept before, in this batch or earlier. Nothing was written.
    Duplicate,
    /// Its channel is gone. Nothing was written.
    ChannelGone,
}

/// Keeps events. When a call returns, what it kept is on disk.
#[async_trait]
pub trait Inbox: Send + Sync {
    /// Keeps a batch in one transaction, in the order given, and says for each event what became of it.
    ///
    /// One event that is a duplicate, or whose channel is gone, does not hold up the others. Of events with one
    /// dedupe key in one channel exactly one is kept, also where they come in batches at the same time on several
    /// servers; those without a key are all kept. Every event gets a place in the order of receipt: within a lane
    /// one appended after another's call returned stands behind it, and those of a batch stand in its order. No event
    /// that becomes visible later is ever placed before one that was claimed.
    ///
    /// # Errors
    ///
    /// Whether the batch was kept is unknown. It may be appended again: an event whose id is kept already is
    /// [`Kept`](Appended::Kept), and nothing more is written for it.
    async fn append(&self, events: &[NewEvent]) -> Result<Vec<Appended>, Unavailable>;
}
