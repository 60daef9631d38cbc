//! Prometheus metrics on an address of their own.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, web};
use nora_integrations::Step;
use nora_integrations::ports::{Awaited, Unconfirmed};
use nora_kernel::Timestamp;
use nora_mcp_servers::RedeployStep;
use nora_webhooks::DeliveryStep;
use nora_webhooks::ports::Backlog;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::cause;

/// Bounds in seconds, around what a push over a local network takes and what a slow runtime is given.
const SECONDS: [f64; 10] = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
    reason: &'static str,
}

/// What the reconciler does.
#[derive(Debug, Clone)]
pub(crate) struct SyncMetrics {
    steps: Family<Outcome, Counter>,
    seconds: Histogram,
}

impl SyncMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self { steps: Family::default(), seconds: Histogram::new(SECONDS) };
        registry.register("nora_sync_steps", "Steps of the reconciler by how they ended", metrics.steps.clone());
        registry.register("nora_sync_step_seconds", "How long a step of the reconciler takes", metrics.seconds.clone());
        metrics
    }

    pub(crate) fn observe(&self, step: Step, took: Duration) {
        self.steps.get_or_create(&label(step)).inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

const fn label(step: Step) -> Outcome {
    let (outcome, reason) = match step {
        Step::Synced => ("synced", ""),
        Step::Checked => ("checked", ""),
        Step::Raised => ("raised", ""),
        Step::Failed(class) => ("failed", class.as_str()),
        Step::Abandoned => ("abandoned", ""),
        Step::LeaseLost => ("lease_lost", ""),
    };
    Outcome { outcome, reason }
}

/// What redeploys do.
#[derive(Debug, Clone)]
pub(crate) struct RedeployMetrics {
    steps: Family<Outcome, Counter>,
}

impl RedeployMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self { steps: Family::default() };
        registry.register("nora_redeploy_steps", "Steps of redeploys by how they ended", metrics.steps.clone());
        metrics
    }

    pub(crate) fn observe(&self, step: RedeployStep) {
        let (outcome, reason) = match step {
            RedeployStep::Applied => ("applied", ""),
            RedeployStep::Unneeded => ("unneeded", ""),
            RedeployStep::Failed(class) => ("failed", class.as_str()),
            RedeployStep::LeaseLost => ("lease_lost", ""),
        };
        self.steps.get_or_create(&Outcome { outcome, reason }).inc();
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Waiting {
    kind: &'static str,
    reason: &'static str,
}

/// How many are waited for, and for how many seconds the first of them.
#[derive(Debug, Clone, Default)]
struct WaitingMetrics {
    count: Family<Waiting, Gauge>,
    seconds: Family<Waiting, Gauge>,
}

/// What runtimes have not confirmed. Every server over one database tells the same.
#[derive(Debug, Clone)]
pub(crate) struct UnconfirmedMetrics {
    behind: WaitingMetrics,
    purges: WaitingMetrics,
}

impl UnconfirmedMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self { behind: WaitingMetrics::default(), purges: WaitingMetrics::default() };
        let WaitingMetrics { count, seconds } = metrics.behind.clone();
        registry.register("nora_sync_behind", "Agents whose runtime has not confirmed what they should have", count);
        registry.register("nora_sync_behind_oldest_seconds", "Since when the first of them is behind", seconds);
        let WaitingMetrics { count, seconds } = metrics.purges.clone();
        registry.register("nora_purge_unconfirmed", "Removals that no runtime has confirmed", count);
        registry.register(
            "nora_purge_unconfirmed_oldest_seconds",
            "Since when the first of them is waited for",
            seconds,
        );
        metrics
    }

    /// Shows this and nothing of what was shown before.
    pub(crate) fn show(&self, unconfirmed: &[Unconfirmed], now: Timestamp) {
        for metrics in [&self.behind, &self.purges] {
            metrics.count.clear();
            metrics.seconds.clear();
        }
        for Unconfirmed { awaited, kind, reason, count, oldest } in unconfirmed {
            let metrics = match awaited {
                Awaited::Sync => &self.behind,
                Awaited::Purge => &self.purges,
            };
            let label = Waiting { kind: kind.as_str(), reason: reason.map_or("", |class| class.as_str()) };
            let seconds = now.since(*oldest).as_secs();
            metrics.count.get_or_create(&label).set(i64::try_from(*count).unwrap_or(i64::MAX));
            metrics.seconds.get_or_create(&label).set(i64::try_from(seconds).unwrap_or(i64::MAX));
        }
    }
}

/// What the delivery of webhook events does, and how far it is behind.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryMetrics {
    steps: Family<Outcome, Counter>,
    seconds: Histogram,
    lag: Gauge<f64, AtomicU64>,
    waiting: Gauge,
    dead: Gauge,
}

impl DeliveryMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            steps: Family::default(),
            seconds: Histogram::new(SECONDS),
            lag: Gauge::default(),
            waiting: Gauge::default(),
            dead: Gauge::default(),
        };
        let help = "Attempts to deliver webhook events by how they ended";
        registry.register("nora_webhook_deliveries", help, metrics.steps.clone());
        let help = "How long an attempt to deliver a webhook event takes";
        registry.register("nora_webhook_delivery_seconds", help, metrics.seconds.clone());
        let help = "How long ago the oldest webhook event came that is not delivered";
        registry.register("nora_webhook_lag_seconds", help, metrics.lag.clone());
        let help = "Webhook deliveries that have not ended, counted up to 100,000";
        registry.register("nora_webhook_waiting", help, metrics.waiting.clone());
        let help = "Webhook events that were given up, counted up to 100,000";
        registry.register("nora_webhook_dead", help, metrics.dead.clone());
        metrics
    }

    pub(crate) fn observe(&self, step: DeliveryStep, took: Duration) {
        let (outcome, reason) = match step {
            DeliveryStep::Delivered => ("delivered", ""),
            DeliveryStep::Failed(class) => ("failed", class.as_str()),
            DeliveryStep::Dead(class) => ("dead", class.as_str()),
            DeliveryStep::LeaseLost => ("lease_lost", ""),
        };
        self.steps.get_or_create(&Outcome { outcome, reason }).inc();
        self.seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn behind(&self, backlog: Backlog, now: Timestamp) {
        let lag = backlog.oldest.map_or(Duration::ZERO, |oldest| now.since(oldest));
        self.lag.set(lag.as_secs_f64());
        self.waiting.set(i64::try_from(backlog.waiting).unwrap_or(i64::MAX));
        self.dead.set(i64::try_from(backlog.dead).unwrap_or(i64::MAX));
    }
}

/// A server for `GET /metrics`.
pub(crate) fn listen(
    registry: Data<Registry>,
    listener: std::net::TcpListener,
) -> std::io::Result<actix_web::dev::Server> {
    let server =
        HttpServer::new(move || App::new().app_data(registry.clone()).route("/metrics", web::get().to(scrape)));
    Ok(server.workers(1).disable_signals().listen(listener)?.run())
}

async fn scrape(registry: Data<Registry>) -> HttpResponse {
    let mut text = String::new();
    match encode(&mut text, &registry) {
        Ok(()) => {
            HttpResponse::Ok().content_type("application/openmetrics-text; version=1.0.0; charset=utf-8").body(text)
        }
        Err(error) => {
            tracing::error!(error = cause(&error), "metrics were not encoded");
            HttpResponse::InternalServerError().finish()
        }
    }
}
