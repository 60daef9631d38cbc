//! Whether the process lives, and whether it can do its work.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use futures_util::future::join_all;
use nora_kernel::Readiness;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::problem::{ErrorCode, Problem, chain};
use crate::{Api, answer};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(get_live).service(get_ready);
}

/// The process lives.
#[derive(Debug, Serialize, ToSchema)]
struct Live {
    /// Always `live`.
    #[schema(example = "live")]
    status: &'static str,
}

/// The service can do its work.
#[derive(Debug, Serialize, ToSchema)]
struct Ready {
    /// Always `ready`: what is not ready is a problem.
    #[schema(example = "ready")]
    status: &'static str,
    /// What was checked.
    #[schema(example = json!(["database", "keyring"]))]
    checks: Vec<&'static str>,
}

/// Is the process alive?
///
/// Touches nothing: a database that is away is no reason to restart this process.
#[utoipa::path(tag = "Operations", responses((status = 200, description = "It is.", body = Live)))]
#[get("/health/live")]
async fn get_live() -> Result<HttpResponse, Problem> {
    answer::ok(&Live { status: "live" })
}

/// Is the service ready?
///
/// Asks everything the service depends on, a second at most. Not ready is also a service that is about to stop.
#[utoipa::path(
    tag = "Operations",
    responses(
        (status = 200, description = "It is.", body = Ready),
        (status = 503, description = "`not_ready`: `detail` names what fails.",
            body = crate::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
#[get("/health/ready")]
async fn get_ready(api: Data<Api>) -> Result<HttpResponse, Problem> {
    if api.is_draining() {
        return Err(not_ready("the service is about to stop".to_owned()));
    }
    let checks = &api.ports.readiness;
    let deadline = api.ports.limits.readiness_deadline;
    let results = join_all(checks.iter().map(|(name, check)| passes(name, check, deadline))).await;
    let names = || checks.iter().map(|(name, _)| *name);
    let failed: Vec<&str> = names().zip(results).filter(|(_, passed)| !passed).map(|(name, _)| name).collect();
    if failed.is_empty() {
        answer::ok(&Ready { status: "ready", checks: names().collect() })
    } else {
        Err(not_ready(format!("not ready: {}", failed.join(", "))))
    }
}

async fn passes(name: &str, check: &Arc<dyn Readiness>, deadline: Duration) -> bool {
    match tokio::time::timeout(deadline, check.ready()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(check = name, error = chain(&error), "a readiness check failed");
            false
        }
        Err(_) => {
            tracing::warn!(check = name, "a readiness check took too long");
            false
        }
    }
}

fn not_ready(detail: String) -> Problem {
    Problem::new(ErrorCode::NotReady, detail).after(Duration::from_secs(1))
}
