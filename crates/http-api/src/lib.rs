#![doc = include_str!("../README.md")]

mod answer;
mod api;
mod app;
mod auth;
mod conditional;
mod edge;
mod fallback;
mod idempotency;
mod limits;
mod metrics;
mod openapi;
mod problem;
mod request;
mod resources;
mod webhook_body;
mod webhook_metrics;
mod wire;

pub use api::{Api, Ports};
pub use app::{app, server};
pub use limits::{LIMITS, Limits};
pub use metrics::HttpMetrics;
pub use openapi::{openapi, openapi_json};
pub use webhook_metrics::WebhookMetrics;
