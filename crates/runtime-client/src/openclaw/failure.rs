//! What a gateway's refusals mean to the reconciler.

use nora_integrations::ports::{FailureClass, PushError};

use super::frame::RpcError;

/// A call, or the handshake, was refused. The code and the details decide, never the message.
pub(super) fn of_refusal(error: &RpcError) -> PushError {
    let class = match (error.code.as_str(), error.details.code.as_deref().unwrap_or_default()) {
        (_, "AUTH_RATE_LIMITED") => FailureClass::RateLimited,
        (_, "DEVICE_AUTH_SIGNATURE_EXPIRED") => FailureClass::Timeout,
        (_, detail) if detail.starts_with("AUTH_") || detail.starts_with("DEVICE_AUTH_") => FailureClass::Auth,
        (_, "PROTOCOL_MISMATCH") => FailureClass::UnsupportedRuntime,
        // The protocol 3 gateways give this detail and no code.
        (_, "") if error.details.expected_protocol.is_some() => FailureClass::UnsupportedRuntime,
        (_, "PAIRING_REQUIRED" | "DEVICE_IDENTITY_REQUIRED") | ("NOT_PAIRED", _) => FailureClass::NotPaired,
        ("FORBIDDEN", _) => FailureClass::NotAuthorised,
        ("UNAVAILABLE", _) => unavailable(error),
        _ => FailureClass::Rejected,
    };
    PushError::Failed { class, retry_after: error.retry_after().filter(|_| !class.is_permanent()) }
}

fn unavailable(error: &RpcError) -> FailureClass {
    if error.details.reason.as_deref() == Some("startup-sidecars") {
        FailureClass::Starting
    } else if error.details.limit.is_some() {
        FailureClass::RateLimited
    } else {
        FailureClass::ServerError
    }
}
