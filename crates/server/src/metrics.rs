//! Prometheus metrics on an address of their own.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{App, HttpResponse, HttpServer, web};
use nora_integrations::Step;
use nora_mcp_servers::RedeployStep;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
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
