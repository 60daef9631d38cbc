//! Numbers about webhooks, for Prometheus.

use nora_webhooks::ChannelType;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counts what comes in, by type of channel and by reason, never by channel: ids are a sender's to invent.
#[derive(Debug, Clone)]
pub struct WebhookMetrics {
    accepted: Family<AcceptedLabels, Counter>,
    handshakes: Counter,
    refused: Family<RefusedLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AcceptedLabels {
    r#type: String,
    duplicate: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusedLabels {
    reason: &'static str,
}

impl WebhookMetrics {
    /// Adds `webhooks_accepted_total`, `webhooks_answered_total` and `webhooks_refused_total` to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self { accepted: Family::default(), handshakes: Counter::default(), refused: Family::default() };
        let help = "Webhooks that were kept, or had been before";
        registry.register("webhooks_accepted", help, metrics.accepted.clone());
        let help = "Handshakes and pings that were answered";
        registry.register("webhooks_answered", help, metrics.handshakes.clone());
        let help = "Webhooks that were not taken, by reason";
        registry.register("webhooks_refused", help, metrics.refused.clone());
        metrics
    }

    pub(crate) fn accepted(&self, kind: &ChannelType, duplicate: bool) {
        let duplicate = if duplicate { "true" } else { "false" };
        self.accepted.get_or_create(&AcceptedLabels { r#type: kind.to_string(), duplicate }).inc();
    }

    pub(crate) fn answered(&self) {
        self.handshakes.inc();
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&RefusedLabels { reason }).inc();
    }
}
