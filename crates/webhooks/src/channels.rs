//! An agent's channels: what all use cases share, looking, and removal.

use std::sync::Arc;

use nora_kernel::audit::Action;
use nora_kernel::{
    AgentId, Caller, ChannelId, ChannelSecretId, Clock, IdSource, SealError, Secret, Timestamp, Unavailable, Vault,
    Workspace, WrappedKey,
};

use crate::cache::ChannelCache;
use crate::lines::Lines;
use crate::ports::{ChannelStore, EventStore};
use crate::{Channel, ChannelTypes, NewSecret, PublicUrl, SecretRole, StoredChannel, StoredSecret};

/// Why a channel was not removed, or nothing of it was found.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// There is no such channel for this caller.
    #[error("there is no such channel")]
    NotFound,
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Makes, lists, changes and removes agents' channels, and looks at what came in by them.
#[derive(Clone)]
pub struct Channels {
    /// Every type of channel.
    pub types: Arc<ChannelTypes>,
    /// Where channels are kept.
    pub store: Arc<dyn ChannelStore>,
    /// Where events are kept.
    pub events: Arc<dyn EventStore>,
    /// The channels that are ready to receive; a change drops its channel there.
    pub cache: Arc<ChannelCache>,
    /// What seals secrets.
    pub vault: Arc<dyn Vault>,
    /// What the URLs of channels begin with.
    pub url: PublicUrl,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Channels {
    /// An agent's channels, newest first; `None` if there is no such agent for the caller.
    pub async fn list(&self, caller: &Caller, agent: AgentId) -> Result<Option<Vec<Channel>>, Unavailable> {
        self.store.list(&caller.reach(), agent).await
    }

    /// One channel, if there is such a one for the caller.
    pub async fn find(&self, caller: &Caller, agent: AgentId, id: ChannelId) -> Result<Channel, ChannelError> {
        self.stored(caller, agent, id).await.map(|(stored, _)| stored.channel)
    }

    /// Removes a channel. Its URL answers like one that never was, from now on.
    pub async fn remove(&self, caller: &Caller, agent: AgentId, id: ChannelId) -> Result<(), ChannelError> {
        let (stored, _) = self.stored(caller, agent, id).await?;
        let line = self.lines().change(caller, &stored.workspace, Action::ChannelDeleted, agent, id);
        let removed = self.store.remove(&caller.reach(), agent, id, &line).await;
        self.cache.forget(id);
        if removed? { Ok(()) } else { Err(ChannelError::NotFound) }
    }

    pub(crate) async fn stored(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: ChannelId,
    ) -> Result<(StoredChannel, WrappedKey), ChannelError> {
        let found = self.store.find(&caller.reach(), agent, id).await?;
        found.ok_or(ChannelError::NotFound)
    }

    pub(crate) async fn seal(
        &self,
        key: &WrappedKey,
        workspace: &Workspace,
        agent: AgentId,
        role: SecretRole,
        secret: &Secret,
    ) -> Result<NewSecret, SealError> {
        let new = Sealer { vault: self.vault.as_ref(), key, workspace, agent };
        new.seal(ChannelSecretId::from_uuid(self.ids.next()), role, secret, self.clock.now()).await
    }

    pub(crate) fn lines(&self) -> Lines<'_> {
        Lines { ids: self.ids.as_ref(), clock: self.clock.as_ref() }
    }
}

/// Seals secrets of one agent's channels.
pub(crate) struct Sealer<'a> {
    pub(crate) vault: &'a dyn Vault,
    pub(crate) key: &'a WrappedKey,
    pub(crate) workspace: &'a Workspace,
    pub(crate) agent: AgentId,
}

impl Sealer<'_> {
    pub(crate) async fn seal(
        &self,
        id: ChannelSecretId,
        role: SecretRole,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<NewSecret, SealError> {
        let context = StoredSecret::context(self.workspace, self.agent, id);
        let sealed = self.vault.seal(self.key, &context, secret.expose().as_bytes()).await?;
        Ok(StoredSecret { id, role, sealed, created_at: now, expires_at: None })
    }
}
