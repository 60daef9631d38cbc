//! The parts webhooks go through.

use std::sync::Arc;

use nora_catalog::Catalog;
use nora_kernel::{Clock, Digest, Entropy, IdSource, Vault};
use nora_webhooks::ports::RuntimeDelivery;
use nora_webhooks::{
    ChannelCache, ChannelLookup, ChannelTypes, Channels, Deliverer, PublicUrl, Receiver, WebhookLimiter,
};

use crate::intake::{Appenders, Crowd, grouped};
use crate::settings::Settings;
use crate::store::Stores;

/// What the use cases have in common.
pub(crate) struct Shared {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) digest: Arc<dyn Digest>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) runtimes: Arc<dyn RuntimeDelivery>,
}

/// Channels, what takes webhooks in, and what delivers them.
pub(crate) struct Webhooks {
    pub(crate) channels: Channels,
    pub(crate) receiver: Receiver,
    pub(crate) deliverer: Deliverer,
    /// Whether senders crowd in.
    pub(crate) crowd: Crowd,
}

impl Webhooks {
    /// Everything, and the loops that must run for anything to be taken.
    pub(crate) fn build(settings: &Settings, stores: &Stores, shared: Shared) -> (Self, Appenders) {
        let Shared { catalog, vault, digest, ids, clock, entropy, runtimes } = shared;
        let types = Arc::new(ChannelTypes::of(&catalog));
        let url = PublicUrl::new(settings.public_url.as_str());
        let cache = Arc::new(ChannelCache::default());
        let lookup = ChannelLookup {
            types: Arc::clone(&types),
            store: Arc::clone(&stores.channels),
            cache: Arc::clone(&cache),
            vault: Arc::clone(&vault),
            url: url.clone(),
            ids: Arc::clone(&ids),
            clock: Arc::clone(&clock),
        };
        let (intake, appenders) = grouped(Arc::clone(&stores.inbox));
        let receiver = Receiver {
            lookup: lookup.clone(),
            store: Arc::clone(&stores.channels),
            intake: Arc::new(intake),
            limiter: Arc::new(WebhookLimiter::new(settings.webhook_rate)),
            vault: Arc::clone(&vault),
            digest,
            ids: Arc::clone(&ids),
            clock: Arc::clone(&clock),
        };
        let deliverer = Deliverer {
            store: Arc::clone(&stores.deliveries),
            lookup,
            runtimes,
            vault: Arc::clone(&vault),
            clock: Arc::clone(&clock),
            entropy,
        };
        let (store, events) = (Arc::clone(&stores.channels), Arc::clone(&stores.events));
        let channels = Channels { types, store, events, cache, vault, url, ids, clock };
        let crowd = appenders.crowd();
        (Self { channels, receiver, deliverer, crowd }, appenders)
    }
}
