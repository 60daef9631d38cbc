//! The webhook part of the application under test.

use std::sync::Arc;

use nora_catalog::Catalog;
use nora_testkit::{InMemory, ManualClock, PlainDigest, SequentialIds};
use nora_webhooks::ports::Intake;
use nora_webhooks::{ChannelCache, ChannelLookup, ChannelTypes, Channels, PublicUrl, Receiver, WebhookLimiter};

use super::GatedVault;

pub(super) struct Parts<'a> {
    pub(super) memory: &'a Arc<InMemory>,
    pub(super) vault: &'a Arc<GatedVault>,
    pub(super) ids: &'a SequentialIds,
    pub(super) clock: &'a ManualClock,
}

impl Parts<'_> {
    pub(super) fn build(&self, catalog: &Catalog, intake: Arc<dyn Intake>, rate: u32) -> (Channels, Receiver) {
        let types = Arc::new(ChannelTypes::of(catalog));
        let url = PublicUrl::new("https://nora.example/");
        let cache = Arc::new(ChannelCache::default());
        let lookup = ChannelLookup {
            types: types.clone(),
            store: self.memory.clone(),
            cache: cache.clone(),
            vault: self.vault.clone(),
            url: url.clone(),
            ids: Arc::new(self.ids.clone()),
            clock: Arc::new(self.clock.clone()),
        };
        let receiver = Receiver {
            lookup,
            store: self.memory.clone(),
            intake,
            limiter: Arc::new(WebhookLimiter::new(rate)),
            vault: self.vault.clone(),
            digest: Arc::new(PlainDigest),
            ids: Arc::new(self.ids.clone()),
            clock: Arc::new(self.clock.clone()),
        };
        let channels = Channels {
            types,
            store: self.memory.clone(),
            events: self.memory.clone(),
            cache,
            vault: self.vault.clone(),
            url,
            ids: Arc::new(self.ids.clone()),
            clock: Arc::new(self.clock.clone()),
        };
        (channels, receiver)
    }
}
