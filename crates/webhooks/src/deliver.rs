//! One step of delivery: hand one event to its agent's runtime.

use std::sync::Arc;
use std::time::Duration;

use nora_kernel::{Clock, Entropy, Timestamp, Unavailable, Vault};
use nora_provider_sdk::webhook::{HandshakeMethod, InboundHeaders, InboundRequest, Reverified};

use crate::backoff::next_attempt;
use crate::lookup::ChannelLookup;
use crate::ports::{
    Delivery, DeliveryClaim, DeliveryEnd, DeliveryError, DeliveryFailure, DeliveryFailureClass, DeliveryStore, Held,
    Message, Recipient, RuntimeDelivery,
};
use crate::{OpenChannel, StoredEvent, Verdict};

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStep {
    /// The runtime has the event.
    Delivered,
    /// It has not, and will be asked again.
    Failed(DeliveryFailureClass),
    /// It has not, and will not be asked again: the event is dead.
    Dead(DeliveryFailureClass),
    /// Another worker has the delivery now, or its channel is gone. Nothing was recorded.
    LeaseLost,
}

/// Delivers events, one claim at a time.
#[derive(Clone)]
pub struct Deliverer {
    /// The queue.
    pub store: Arc<dyn DeliveryStore>,
    /// What finds channels, for what is verified again.
    pub lookup: ChannelLookup,
    /// What hands events to runtimes.
    pub runtimes: Arc<dyn RuntimeDelivery>,
    /// What opens the credentials of runtimes.
    pub vault: Arc<dyn Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where chance comes from.
    pub entropy: Arc<dyn Entropy>,
}

impl Deliverer {
    /// Makes the attempt a claim stands for and records how it ended.
    ///
    /// Dropping the future at any point is safe: the lease runs out and the attempt is made again, which a runtime
    /// tells by the event's id.
    pub async fn run(&self, claim: &DeliveryClaim) -> Result<DeliveryStep, Unavailable> {
        let Some(delivery) = self.store.fetch(claim).await? else { return Ok(DeliveryStep::LeaseLost) };
        let channel = self.lookup.find(claim.channel).await?;
        let channel = channel.as_deref();
        let verdict = if claim.replay {
            channel.map(|channel| verify_again(channel, &delivery.event, self.clock.now()))
        } else {
            None
        };
        if verdict == Some(Verdict::Refused) {
            let failure = DeliveryFailure { class: DeliveryFailureClass::Unverified, next_attempt_at: None };
            return self.end(claim, DeliveryEnd::Failed(failure), verdict).await;
        }
        match self.hand_over(claim, channel, delivery, verdict).await {
            Ok(()) => self.end(claim, DeliveryEnd::Delivered, verdict).await,
            Err(DeliveryError { class, retry_after }) => {
                let failure = DeliveryFailure { class, next_attempt_at: self.next(claim, retry_after) };
                self.end(claim, DeliveryEnd::Failed(failure), verdict).await
            }
        }
    }

    async fn hand_over(
        &self,
        claim: &DeliveryClaim,
        channel: Option<&OpenChannel>,
        delivery: Delivery,
        verdict: Option<Verdict>,
    ) -> Result<(), DeliveryError> {
        let recipient = self.recipient(&delivery).await.map_err(|class| DeliveryError { class, retry_after: None })?;
        self.runtimes.deliver(&recipient, &message(claim, channel, delivery, verdict)).await
    }

    async fn recipient(&self, delivery: &Delivery) -> Result<Recipient, DeliveryFailureClass> {
        let Delivery { target, key, .. } = delivery;
        let secrets = match target.open(self.vault.as_ref(), key).await {
            Ok(secrets) => secrets,
            Err(error) if error.may_open_later() => return Err(DeliveryFailureClass::Internal),
            Err(_) => return Err(DeliveryFailureClass::Unreadable),
        };
        Ok(Recipient { agent: target.agent, kind: target.kind, url: target.url.clone(), token: secrets.token })
    }

    async fn end(
        &self,
        claim: &DeliveryClaim,
        end: DeliveryEnd,
        verdict: Option<Verdict>,
    ) -> Result<DeliveryStep, Unavailable> {
        let held = self.store.end(claim, end, verdict, self.clock.now()).await?;
        Ok(match (held, end) {
            (Held::No, _) => DeliveryStep::LeaseLost,
            (Held::Yes, DeliveryEnd::Delivered) => DeliveryStep::Delivered,
            (Held::Yes, DeliveryEnd::Failed(DeliveryFailure { class, next_attempt_at: Some(_) })) => {
                DeliveryStep::Failed(class)
            }
            (Held::Yes, DeliveryEnd::Failed(DeliveryFailure { class, next_attempt_at: None })) => {
                DeliveryStep::Dead(class)
            }
        })
    }

    fn next(&self, claim: &DeliveryClaim, asked: Option<Duration>) -> Option<Timestamp> {
        let mut byte = [0];
        let chance = self.entropy.fill(&mut byte).map_or(0, |()| u8::from_be_bytes(byte));
        next_attempt(claim, asked, chance, self.clock.now())
    }
}

/// Verifies a kept event under today's secrets, with the time it came as now.
fn verify_again(channel: &OpenChannel, stored: &StoredEvent, now: Timestamp) -> Verdict {
    let headers: InboundHeaders<'_> = stored.headers.iter().collect();
    let request = InboundRequest {
        method: HandshakeMethod::Post,
        url: &channel.url,
        query: &stored.query,
        headers: &headers,
        body: &stored.body,
    };
    let received_at = stored.event.received_at;
    match channel.with_keys(now, |keys, _| channel.scheme.reverify(&request, keys, received_at)) {
        Reverified::Verified(Some(_)) => Verdict::Verified,
        Reverified::Verified(None) => Verdict::Unverified,
        Reverified::Recorded => Verdict::Recorded,
        Reverified::Refused(_) => Verdict::Refused,
    }
}

fn message(
    claim: &DeliveryClaim,
    channel: Option<&OpenChannel>,
    delivery: Delivery,
    verdict: Option<Verdict>,
) -> Message {
    let Delivery { event: StoredEvent { event, headers, body, .. }, kind, .. } = delivery;
    let read = |channel: &OpenChannel| channel.scheme.content_and_sender(&headers.iter().collect(), &body);
    let (content, sender) = channel.map(read).unwrap_or_default();
    Message {
        event: event.id,
        channel: event.channel,
        kind,
        delivery_id: event.delivery_id,
        event_type: event.event_type,
        content,
        sender,
        verdict: verdict.unwrap_or(event.verdict),
        headers,
        body,
        received_at: event.received_at,
        replay: claim.replay,
    }
}
