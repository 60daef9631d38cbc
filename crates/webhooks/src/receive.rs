//! From a request nobody has authenticated to an event that is kept.

use std::sync::Arc;

use bytes::Bytes;
use nora_kernel::audit::Action;
use nora_kernel::{
    ChannelId, ChannelSecretId, Clock, Digest, EventId, IdSource, Secret, Timestamp, Unavailable, Vault,
};
use nora_provider_sdk::webhook::{
    HandshakeMethod, InboundEvent, InboundHeaders, InboundRequest, Received, RefusalReason, Reply,
};

use crate::channels::Sealer;
use crate::lines::Lines;
use crate::lookup::ChannelLookup;
use crate::ports::{Appended, ChannelStore, Enrolment, Intake, IntakeError, NewEvent};
use crate::{
    ChannelType, HANDLER_VERSION, Headers, OpenChannel, OrderingKey, Overrun, SecretRole, Verdict, WebhookLimiter,
};

/// The status of whatever is refused, unless the third party's protocol wants another.
const REFUSED: u16 = 400;
/// The status of a body that is larger than its channel takes.
const TOO_LARGE: u16 = 413;

/// A request as it arrived.
#[derive(Debug)]
pub struct Inbound<'a> {
    /// Its method.
    pub method: HandshakeMethod,
    /// The raw query of its URL, without the question mark.
    pub query: &'a str,
    /// Its headers.
    pub headers: &'a InboundHeaders<'a>,
    /// Its whole body.
    pub body: Bytes,
}

/// What a request is answered with.
#[derive(Debug)]
pub enum Receipt {
    /// The event is kept, or was before.
    Accepted {
        /// The status.
        status: u16,
        /// Whose webhook it is.
        kind: ChannelType,
        /// Whether it was kept before.
        duplicate: bool,
    },
    /// It is a handshake or a ping, answered so.
    Answered(Reply),
    /// It was not taken.
    Refused {
        /// The status.
        status: u16,
        /// Why, for the metrics alone: whoever sent it is told the same in every case.
        reason: &'static str,
    },
}

/// Why nobody can say what becomes of a request.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// What comes in is more than can be kept.
    #[error("the inbox is full")]
    Busy,
    /// A dependency could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<IntakeError> for ReceiveError {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Busy => Self::Busy,
            IntakeError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

/// Takes webhooks in.
#[derive(Clone)]
pub struct Receiver {
    /// What finds channels.
    pub lookup: ChannelLookup,
    /// Where channels are kept.
    pub store: Arc<dyn ChannelStore>,
    /// What keeps events before they are answered.
    pub intake: Arc<dyn Intake>,
    /// How much is taken.
    pub limiter: Arc<WebhookLimiter>,
    /// What seals secrets that handshakes bring.
    pub vault: Arc<dyn Vault>,
    /// What makes refusals cost the same.
    pub digest: Arc<dyn Digest>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Receiver {
    /// Whether a request for this channel may be looked at now. It is asked before anything else is done.
    pub fn admit(&self, channel: ChannelId) -> Result<(), Overrun> {
        self.limiter.admit(channel, self.clock.now())
    }

    /// The channel a request is for; `None` if there is none that takes anything.
    pub async fn find(&self, channel: ChannelId) -> Result<Option<Arc<OpenChannel>>, Unavailable> {
        Ok(self.lookup.find(channel).await?.filter(|channel| channel.enabled))
    }

    /// Verifies a request and keeps what it brings. `Accepted` is said after that and never before.
    pub async fn receive(&self, channel: Option<&OpenChannel>, request: Inbound<'_>) -> Result<Receipt, ReceiveError> {
        let Some(channel) = channel else { return Ok(self.refuse(&request.body, REFUSED, "no_channel")) };
        let now = self.clock.now();
        let raw = InboundRequest {
            method: request.method,
            url: &channel.url,
            query: request.query,
            headers: request.headers,
            body: &request.body,
        };
        let (received, ids) =
            channel.with_keys(now, |keys, ids| (channel.scheme.receive(&raw, keys, now), ids.to_vec()));
        match received {
            Received::Refused(refusal) if refusal.reason == RefusalReason::Mismatch => {
                Ok(Receipt::Refused { status: refusal.status, reason: refusal.reason.as_str() })
            }
            Received::Refused(refusal) => Ok(self.refuse(&request.body, refusal.status, refusal.reason.as_str())),
            Received::Event(_) if request.body.len() > channel.max_body() => {
                Ok(Receipt::Refused { status: TOO_LARGE, reason: "too_large" })
            }
            Received::Event(event) => self.keep(channel, event, &ids, request, now).await,
            Received::Answer(reply) => Ok(Receipt::Answered(reply)),
            Received::Enrol { secret, reply } => self.enrol(channel, &secret, reply, now).await,
        }
    }

    /// One pass over the body, as verifying it would have cost: time does not tell which channels there are.
    fn refuse(&self, body: &[u8], status: u16, reason: &'static str) -> Receipt {
        std::hint::black_box(self.digest.sha256(body));
        Receipt::Refused { status, reason }
    }

    async fn keep(
        &self,
        channel: &OpenChannel,
        event: InboundEvent,
        secrets: &[ChannelSecretId],
        request: Inbound<'_>,
        now: Timestamp,
    ) -> Result<Receipt, ReceiveError> {
        let verdict = if event.verified_by.is_some() { Verdict::Verified } else { Verdict::Unverified };
        let new = NewEvent {
            id: EventId::from_uuid(self.ids.next()),
            channel: channel.id,
            received_at: now,
            verdict,
            verified_by: event.verified_by.and_then(|position| secrets.get(position).copied()),
            handler: HANDLER_VERSION,
            delivery_id: event.delivery_id,
            dedupe_key: event.dedupe_key.filter(|_| verdict == Verdict::Verified),
            event_type: event.event_type,
            ordering_key: event.ordering_key.and_then(OrderingKey::new).unwrap_or_default(),
            query: request.query.to_owned(),
            headers: Headers::from_iter(event.masked_headers),
            body: event.body_override.map_or(request.body, Bytes::from),
        };
        let accepted = |duplicate| {
            let (status, kind) = (channel.accept_status(), channel.kind.clone());
            Ok(Receipt::Accepted { status, kind, duplicate })
        };
        match self.intake.keep(new).await? {
            Appended::Kept => accepted(false),
            Appended::Duplicate => accepted(true),
            Appended::ChannelGone => {
                self.lookup.cache.forget(channel.id);
                Ok(Receipt::Refused { status: REFUSED, reason: "no_channel" })
            }
        }
    }

    /// Keeps the secret a handshake brought. Of several handshakes one is answered, and the others are refused.
    async fn enrol(
        &self,
        channel: &OpenChannel,
        secret: &Secret,
        reply: Reply,
        now: Timestamp,
    ) -> Result<Receipt, ReceiveError> {
        let OpenChannel { id, agent, workspace, key, .. } = channel;
        let owner = Sealer { vault: self.vault.as_ref(), key, workspace, agent: *agent };
        let row = ChannelSecretId::from_uuid(self.ids.next());
        let new = owner.seal(row, SecretRole::Signing, secret, now).await.map_err(Unavailable::transient)?;
        let lines = Lines { ids: self.ids.as_ref(), clock: self.clock.as_ref() };
        let line = lines.system(workspace, Action::ChannelEnrolled, *agent, *id);
        let enrolled = self.store.enrol(*id, &new, now, &line).await;
        self.lookup.cache.forget(*id);
        match enrolled? {
            Enrolment::Done => Ok(Receipt::Answered(reply)),
            Enrolment::Refused => Ok(Receipt::Refused { status: REFUSED, reason: "handshake_over" }),
        }
    }
}
