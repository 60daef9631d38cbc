//! Finding a channel that may be asked for thousands of times a second.

use std::sync::Arc;

use nora_kernel::{ChannelId, Clock, IdSource, Unavailable, Vault};

use crate::cache::{ChannelCache, Known};
use crate::lines::Lines;
use crate::ports::ChannelStore;
use crate::{ChannelTypes, OpenChannel, PublicUrl};

/// Finds channels with their secrets open. The store is asked once in half a second per channel, whatever comes in;
/// secrets are opened once per change of a channel, with one line in the audit trail.
#[derive(Clone)]
pub struct ChannelLookup {
    /// Every type of channel.
    pub types: Arc<ChannelTypes>,
    /// Where channels are kept.
    pub store: Arc<dyn ChannelStore>,
    /// The channels that are ready.
    pub cache: Arc<ChannelCache>,
    /// What opens secrets.
    pub vault: Arc<dyn Vault>,
    /// What the URLs of channels begin with.
    pub url: PublicUrl,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ChannelLookup {
    /// The channel, whoever asks; `None` if there is none, or its type is not known here any more.
    pub async fn find(&self, id: ChannelId) -> Result<Option<Arc<OpenChannel>>, Unavailable> {
        if let Known::Fresh(found) = self.cache.known(id, self.clock.now()) {
            return Ok(found);
        }
        let _turn = self.cache.turn(id).await;
        let stale = match self.cache.known(id, self.clock.now()) {
            Known::Fresh(found) => return Ok(found),
            Known::Stale(channel) => Some(channel),
            Known::Nothing => None,
        };
        let (mark, asked_at) = (self.cache.mark(), self.clock.now());
        let found = match self.store.locate(id).await? {
            None => None,
            Some((_, _, revision)) if stale.as_ref().is_some_and(|stale| stale.revision == revision) => stale,
            Some((agent, workspace, _)) => {
                let lines = Lines { ids: self.ids.as_ref(), clock: self.clock.as_ref() };
                let loaded = self.store.load_to_open(id, &lines.opened(&workspace, agent, id)).await?;
                self.open(loaded).await?
            }
        };
        self.cache.keep(id, found.clone(), mark, asked_at);
        Ok(found)
    }

    async fn open(
        &self,
        loaded: Option<(crate::StoredChannel, nora_kernel::WrappedKey)>,
    ) -> Result<Option<Arc<OpenChannel>>, Unavailable> {
        let Some((stored, key)) = loaded else { return Ok(None) };
        let info = self.types.get(&stored.channel.kind);
        let Some(Ok(scheme)) = info.map(|info| info.scheme(&stored.channel.config)) else { return Ok(None) };
        let url = self.url.of_channel(stored.channel.id);
        let open = OpenChannel::open(stored, key, scheme, url, self.vault.as_ref()).await?;
        Ok(Some(Arc::new(open)))
    }
}
