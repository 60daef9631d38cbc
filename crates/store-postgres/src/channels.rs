//! Webhook channels.
//!
//! Whoever adds events to a channel or queues deliveries holds a share lock on its row; a change takes the row for
//! itself. So nothing is added to a channel unseen while it is paused, resumed or removed.

mod change;
mod insert;
mod read;
mod row;

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, Idempotency, Reach, Timestamp, Unavailable, Workspace, WrappedKey};
use nora_webhooks::ports::{
    ChangeChannelError, ChannelOwner, ChannelStore, ChannelUpdate, Enrolment, InsertChannelError,
};
use nora_webhooks::{Channel, NewSecret, StoredChannel};

pub(crate) use change::close_all;

use crate::store::PostgresStore;

/// The id of an agent's channel, if it is there for a reach.
macro_rules! open_channel {
    ($agent:literal, $reach:literal, $id:literal) => {
        concat!(
            "SELECT channel.id FROM channels AS channel JOIN agents AS agent ON agent.id = channel.agent_id \
             WHERE channel.id = ",
            $id,
            " AND channel.removed_at IS NULL AND agent.id = ",
            $agent,
            " AND agent.deleted_at IS NULL AND (",
            $reach,
            " IS NULL OR agent.workspace = ",
            $reach,
            ")"
        )
    };
}
pub(crate) use open_channel;

/// The same with what its lanes are made with, and locked against changes.
macro_rules! locked_channel {
    ($agent:literal, $reach:literal, $id:literal) => {
        concat!(
            "SELECT id, agent_id, paused FROM channels WHERE id = ANY (ARRAY(",
            crate::channels::open_channel!($agent, $reach, $id),
            ")) AND removed_at IS NULL FOR SHARE"
        )
    };
}
pub(crate) use locked_channel;

type Found = Option<(StoredChannel, WrappedKey)>;

#[async_trait]
impl ChannelStore for PostgresStore {
    async fn owner(&self, reach: &Reach, agent: AgentId) -> Result<Option<ChannelOwner>, Unavailable> {
        Ok(read::owner(self, reach, agent).await?)
    }

    async fn insert(
        &self,
        channel: &StoredChannel,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertChannelError> {
        insert::insert(self, channel, line, idempotency).await
    }

    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Channel>>, Unavailable> {
        Ok(read::list(self, reach, agent).await?)
    }

    async fn find(&self, reach: &Reach, agent: AgentId, id: ChannelId) -> Result<Found, Unavailable> {
        Ok(read::find(self, reach, agent, id).await?)
    }

    async fn update(
        &self,
        update: &ChannelUpdate,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), ChangeChannelError> {
        change::update(self, update, line, idempotency).await
    }

    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: ChannelId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        Ok(change::remove(self, reach, agent, id, line).await?)
    }

    async fn locate(&self, id: ChannelId) -> Result<Option<(AgentId, Workspace, u64)>, Unavailable> {
        Ok(read::locate(self, id).await?)
    }

    async fn load_to_open(&self, id: ChannelId, line: &AuditLine) -> Result<Found, Unavailable> {
        Ok(read::load_to_open(self, id, line).await?)
    }

    async fn enrol(
        &self,
        id: ChannelId,
        secret: &NewSecret,
        now: Timestamp,
        line: &AuditLine,
    ) -> Result<Enrolment, Unavailable> {
        Ok(change::enrol(self, id, secret, now, line).await?)
    }
}
