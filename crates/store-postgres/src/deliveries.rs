//! The queue of deliveries, handed out under leases.
//!
//! The row of a lane stands for its first delivery: when that is due, who has it and until when, and how often it was
//! tried. A lease is held as in `sync`. Every statement here takes the lane's row before the event's.

mod backlog;
mod claim;
mod due;
mod end;
mod fetch;

pub(crate) use end::Ends;

use std::time::Duration;

use async_trait::async_trait;
use nora_kernel::{AgentId, Timestamp, Unavailable};
use nora_webhooks::Verdict;
use nora_webhooks::ports::{Backlog, Delivery, DeliveryClaim, DeliveryEnd, DeliveryStore, Held};

use crate::rows::{Number, any};
use crate::signals::Topic;
use crate::statement::Statement;
use crate::store::PostgresStore;

/// The lane of a lease, and its event's row: `$1` is the event, `$2` the delivery's place and `$3` the fence.
macro_rules! of_lease {
    () => {
        "event.id = $1 AND lanes.channel_id = event.channel_id AND lanes.ordering_key = event.ordering_key \
         AND lanes.claimed = $2 AND lanes.fence = $3 AND lanes.lease_until IS NOT NULL"
    };
}
use of_lease;

/// A statement about a lease.
fn lease(text: &'static str, claim: &DeliveryClaim) -> Statement {
    Statement::new(text).uuid(claim.event.as_uuid()).number(claim.sequence).number(claim.fence)
}

fn held(rows: &[Number]) -> Held {
    if any(rows) { Held::Yes } else { Held::No }
}

#[async_trait]
impl DeliveryStore for PostgresStore {
    async fn claim(
        &self,
        limit: u16,
        per_agent: u16,
        busy: &[AgentId],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<DeliveryClaim>, Unavailable> {
        Ok(self.for_worker(claim::claim(self, limit, per_agent, busy, lease, now)).await?)
    }

    async fn fetch(&self, claim: &DeliveryClaim) -> Result<Option<Delivery>, Unavailable> {
        Ok(self.for_worker(fetch::fetch(self, claim)).await?)
    }

    async fn renew(&self, claim: &DeliveryClaim, until: Timestamp) -> Result<Held, Unavailable> {
        Ok(claim::renew(self, claim, until).await?)
    }

    async fn release(&self, claims: &[DeliveryClaim]) -> Result<(), Unavailable> {
        Ok(claim::release(self, claims).await?)
    }

    async fn end(
        &self,
        claim: &DeliveryClaim,
        end: DeliveryEnd,
        verdict: Option<Verdict>,
        at: Timestamp,
    ) -> Result<Held, Unavailable> {
        Ok(self.ends.record(claim, end, verdict, at).await?)
    }

    async fn changed(&self) {
        self.signals.due(Topic::Delivery).await;
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, Unavailable> {
        Ok(self.for_worker(due::next_due(self)).await?)
    }

    async fn backlog(&self) -> Result<Backlog, Unavailable> {
        Ok(backlog::backlog(self).await?)
    }
}
