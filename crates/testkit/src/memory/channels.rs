//! Webhook channels in memory.

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{AgentId, ChannelId, Idempotency, Reach, Timestamp, Unavailable, Workspace, WrappedKey};
use nora_webhooks::ports::{
    ChangeChannelError, ChannelOwner, ChannelStore, ChannelUpdate, Enrolment, InsertChannelError, SecretsUpdate,
};
use nora_webhooks::{Channel, NewSecret, StoredChannel, StoredSecret, Verification};

use super::{InMemory, State};

type Found = Option<(StoredChannel, WrappedKey)>;

impl State {
    /// The channel, if its agent lies within the reach and is not deleted.
    pub(super) fn channel(&self, reach: &Reach, agent: AgentId, id: ChannelId) -> Found {
        let record = self.agent(reach, agent)?;
        let stored = self.channels.get(&id).filter(|stored| stored.channel.agent == agent)?;
        Some((stored.clone(), record.key.clone()))
    }

    pub(super) fn any_channel(&self, id: ChannelId) -> Found {
        let agent = self.channels.get(&id)?.channel.agent;
        self.channel(&Reach::Everything, agent, id)
    }

    fn owner(&self, reach: &Reach, agent: AgentId) -> Option<ChannelOwner> {
        let record = self.agent(reach, agent)?;
        let runtime = &record.agent.runtime;
        Some(ChannelOwner {
            workspace: record.agent.workspace.clone(),
            key: record.key.clone(),
            kind: runtime.kind,
            has_url: runtime.url.is_some(),
        })
    }

    fn open_channel(&mut self, new: &StoredChannel) -> Result<(), InsertChannelError> {
        let reach = Reach::Workspace(new.workspace.clone());
        self.agent(&reach, new.channel.agent).ok_or(InsertChannelError::AgentNotFound)?;
        if self.channels.contains_key(&new.channel.id) {
            return Err(InsertChannelError::Exists);
        }
        self.channels.insert(new.channel.id, new.clone());
        Ok(())
    }

    fn change_channel(&mut self, update: &ChannelUpdate) -> Result<(), ChangeChannelError> {
        let ChannelUpdate { agent, id, .. } = *update;
        self.channel(&Reach::Everything, agent, id).ok_or(ChangeChannelError::NotFound)?;
        let stored = self.channels.get_mut(&id).ok_or(ChangeChannelError::NotFound)?;
        if stored.revision != update.from_revision {
            return Err(ChangeChannelError::Conflict);
        }
        stored.revision += 1;
        stored.enrol_until = update.enrol_until;
        if let SecretsUpdate::Replace(secrets) = &update.secrets {
            stored.secrets = replaced(&stored.secrets, secrets);
        }
        let channel = &mut stored.channel;
        channel.name = update.name.clone();
        channel.config.clone_from(&update.config);
        channel.verification = update.verification;
        channel.enabled = update.enabled;
        let goes_on = channel.paused && !update.paused;
        channel.paused = update.paused;
        channel.updated_at = update.updated_at;
        self.news.deliver = true;
        if goes_on {
            self.hurry(id, update.updated_at);
        }
        Ok(())
    }

    pub(super) fn close_channel(&mut self, id: ChannelId) {
        self.channels.remove(&id);
        self.events.retain(|_, record| record.stored.event.channel != id);
        self.deliveries.retain(|_, record| record.channel != id);
    }

    fn enrol(&mut self, id: ChannelId, secret: &NewSecret, now: Timestamp) -> Option<()> {
        self.any_channel(id)?;
        let stored = self.channels.get_mut(&id)?;
        let waits = stored.channel.enabled && stored.channel.verification == Verification::Handshake;
        stored.enrol_until.filter(|end| waits && now < *end)?;
        stored.revision += 1;
        stored.enrol_until = None;
        stored.channel.verification = Verification::Secret;
        stored.channel.updated_at = now;
        stored.secrets.insert(0, secret.clone());
        Some(())
    }
}

/// Secrets that were there keep their values.
fn replaced(before: &[StoredSecret], after: &[NewSecret]) -> Vec<StoredSecret> {
    let kept = |new: &NewSecret| {
        let old = before.iter().find(|old| old.id == new.id)?;
        Some(StoredSecret { expires_at: new.expires_at, ..old.clone() })
    };
    after.iter().map(|new| kept(new).unwrap_or_else(|| new.clone())).collect()
}

#[async_trait]
impl ChannelStore for InMemory {
    async fn owner(&self, reach: &Reach, agent: AgentId) -> Result<Option<ChannelOwner>, Unavailable> {
        Ok(self.read(|state| state.owner(reach, agent)))
    }

    async fn insert(
        &self,
        channel: &StoredChannel,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), InsertChannelError> {
        self.try_write(|state, now| {
            idempotency.map_or(Ok(()), |record| state.remember(record, now))?;
            state.open_channel(channel)?;
            state.lines.push(line.clone());
            Ok(())
        })
    }

    async fn list(&self, reach: &Reach, agent: AgentId) -> Result<Option<Vec<Channel>>, Unavailable> {
        let list = |state: &State| {
            state.agent(reach, agent)?;
            let all = state.channels.values().map(|stored| &stored.channel);
            let mut channels: Vec<_> = all.filter(|channel| channel.agent == agent).cloned().collect();
            channels.sort_by_key(|channel| std::cmp::Reverse((channel.created_at, channel.id)));
            Some(channels)
        };
        Ok(self.read(list))
    }

    async fn find(&self, reach: &Reach, agent: AgentId, id: ChannelId) -> Result<Found, Unavailable> {
        Ok(self.read(|state| state.channel(reach, agent, id)))
    }

    async fn update(
        &self,
        update: &ChannelUpdate,
        line: &AuditLine,
        idempotency: Option<&Idempotency>,
    ) -> Result<(), ChangeChannelError> {
        self.try_write(|state, now| {
            idempotency.map_or(Ok(()), |record| state.remember(record, now))?;
            state.change_channel(update)?;
            state.lines.push(line.clone());
            Ok(())
        })
    }

    async fn remove(
        &self,
        reach: &Reach,
        agent: AgentId,
        id: ChannelId,
        line: &AuditLine,
    ) -> Result<bool, Unavailable> {
        Ok(self.write(|state, _| {
            let there = state.channel(reach, agent, id).is_some();
            if there {
                state.close_channel(id);
                state.lines.push(line.clone());
            }
            there
        }))
    }

    async fn locate(&self, id: ChannelId) -> Result<Option<(AgentId, Workspace, u64)>, Unavailable> {
        let found = self.read(|state| state.any_channel(id));
        Ok(found.map(|(stored, _)| (stored.channel.agent, stored.workspace, stored.revision)))
    }

    async fn load_to_open(&self, id: ChannelId, line: &AuditLine) -> Result<Found, Unavailable> {
        Ok(self.write(|state, _| {
            let found = state.any_channel(id);
            if found.as_ref().is_some_and(|(stored, _)| !stored.secrets.is_empty()) {
                state.lines.push(line.clone());
            }
            found
        }))
    }

    async fn enrol(
        &self,
        id: ChannelId,
        secret: &NewSecret,
        now: Timestamp,
        line: &AuditLine,
    ) -> Result<Enrolment, Unavailable> {
        Ok(self.write(|state, _| match state.enrol(id, secret, now) {
            Some(()) => {
                state.lines.push(line.clone());
                Enrolment::Done
            }
            None => Enrolment::Refused,
        }))
    }
}
