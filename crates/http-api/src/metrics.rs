//! Numbers about requests, for Prometheus.

use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds in seconds, from a cached answer to a connection test that runs into its deadline.
const BUCKETS: [f64; 12] = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Counts requests and their durations by route, never by path: a path is a client's to choose.
#[derive(Debug, Clone)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: &'static str,
}

impl HttpMetrics {
    /// Adds `http_requests_total` and `http_request_duration_seconds` to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics =
            Self { requests: Family::default(), durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)) };
        let help = "Requests by route, method and class of status";
        registry.register("http_requests", help, metrics.requests.clone());
        let help = "Time from the head of a request to the head of its answer";
        registry.register("http_request_duration_seconds", help, metrics.durations.clone());
        metrics
    }

    pub(crate) fn observe(&self, route: String, method: &Method, status: StatusCode, latency: Duration) {
        let method = known(method);
        let labels = RequestLabels { route: route.clone(), method, status: class(status) };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&RouteLabels { route, method }).observe(latency.as_secs_f64());
    }
}

/// The method's name if it is a usual one: others are a client's to invent.
pub(crate) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
