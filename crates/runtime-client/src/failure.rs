//! What went wrong, as the reconciler's classes.

use std::time::Duration;

use nora_integrations::ports::{FailureClass, PushError};
use nora_mcp_servers::ports::DeployError;
use nora_net_guard::Answer;
use nora_provider_sdk::NetworkError;
use reqwest::StatusCode;
use reqwest::header::RETRY_AFTER;

/// Longer waits than this are not granted to a runtime.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// No answer came.
pub(crate) fn of_network(error: NetworkError) -> PushError {
    PushError::failed(match error {
        NetworkError::Dns => FailureClass::Dns,
        NetworkError::Tls => FailureClass::Tls,
        NetworkError::Timeout => FailureClass::Timeout,
        NetworkError::Refused => FailureClass::Refused,
        NetworkError::BlockedAddress => FailureClass::BlockedAddress,
        NetworkError::TooLarge | NetworkError::Protocol => FailureClass::BadAnswer,
    })
}

/// An answer came whose status is not the one of success.
pub(crate) fn of_status(answer: &Answer) -> PushError {
    let class = match answer.status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => FailureClass::Auth,
        StatusCode::TOO_MANY_REQUESTS => FailureClass::RateLimited,
        status if status.is_client_error() => FailureClass::Rejected,
        status if status.is_server_error() => FailureClass::ServerError,
        // A redirect is not followed, and nothing else confirms anything.
        _ => FailureClass::BadAnswer,
    };
    let may_wait = matches!(answer.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    PushError::Failed { class, retry_after: may_wait.then(|| retry_after(answer)).flatten() }
}

/// The same failure, of a deployment. Nothing supersedes one.
pub(crate) fn of_deployment(error: PushError) -> DeployError {
    match error {
        PushError::Failed { class, retry_after } => DeployError { class, retry_after },
        PushError::Superseded { .. } => DeployError::of(FailureClass::BadAnswer),
    }
}

/// `Retry-After` in seconds. A date is not honoured: it would trust the runtime's clock.
fn retry_after(answer: &Answer) -> Option<Duration> {
    let text = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().map_or(LONGEST_WAIT, |seconds| Duration::from_secs(seconds).min(LONGEST_WAIT)))
}
