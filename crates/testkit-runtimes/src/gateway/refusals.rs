//! The errors of a gateway, word for word.

use serde_json::{Value, json};

pub(super) fn invalid(message: impl Into<String>) -> Value {
    json!({ "code": "INVALID_REQUEST", "message": message.into() })
}

pub(super) fn protocol_mismatch(protocol: u64, min: u64, max: u64) -> Value {
    if protocol < 4 {
        return json!({ "code": "INVALID_REQUEST", "message": "protocol mismatch",
            "details": { "expectedProtocol": protocol } });
    }
    json!({ "code": "INVALID_REQUEST", "message": "protocol mismatch", "details": { "code": "PROTOCOL_MISMATCH",
        "clientMinProtocol": min, "clientMaxProtocol": max, "expectedProtocol": protocol, "minimumProbeProtocol": 3 } })
}

pub(super) fn wrong_secret() -> Value {
    json!({ "code": "INVALID_REQUEST",
        "message": "unauthorized: gateway password mismatch (provide gateway auth password)",
        "details": { "code": "AUTH_PASSWORD_MISMATCH", "authReason": "password_mismatch",
            "canRetryWithDeviceToken": false, "recommendedNextStep": "update_auth_credentials" } })
}

pub(super) fn too_many_wrong_secrets() -> Value {
    json!({ "code": "INVALID_REQUEST", "message": "unauthorized: too many failed attempts",
        "details": { "code": "AUTH_RATE_LIMITED" }, "retryable": true, "retryAfterMs": 300_000 })
}

pub(super) fn no_device() -> Value {
    json!({ "code": "NOT_PAIRED", "message": "device identity required",
        "details": { "code": "DEVICE_IDENTITY_REQUIRED" } })
}

pub(super) fn bad_signature() -> Value {
    json!({ "code": "INVALID_REQUEST", "message": "device signature invalid",
        "details": { "code": "DEVICE_AUTH_SIGNATURE_INVALID", "reason": "device-signature" } })
}

pub(super) fn stale_signature() -> Value {
    json!({ "code": "INVALID_REQUEST", "message": "device signature expired",
        "details": { "code": "DEVICE_AUTH_SIGNATURE_EXPIRED", "reason": "device-signature-stale" } })
}

pub(super) fn not_paired(device: &str) -> Value {
    json!({ "code": "NOT_PAIRED", "message": "pairing required: device is not approved yet",
        "details": { "code": "PAIRING_REQUIRED", "reason": "not-paired",
            "requestId": "b843e643-0000-4000-8000-000000000000",
            "remediationHint": "Approve this device from the pending pairing requests.", "deviceId": device,
            "requestedRole": "operator", "requestedScopes": ["operator.admin"] } })
}

pub(super) fn missing_scope() -> Value {
    json!({ "code": "FORBIDDEN", "message": "missing scope: operator.admin",
        "details": { "code": "MISSING_SCOPE", "missingScope": "operator.admin", "requiredScopes": ["operator.admin"] } })
}

pub(super) fn over_limit(method: &str, limit: usize, wait_ms: u64) -> Value {
    json!({ "code": "UNAVAILABLE", "message": format!("rate limit exceeded for {method}; retry after 60s"),
        "retryable": true, "retryAfterMs": wait_ms,
        "details": { "method": method, "limit": format!("{limit} per 60s") } })
}

pub(super) fn starting() -> Value {
    json!({ "code": "UNAVAILABLE", "message": "gateway starting; retry shortly", "retryable": true,
        "retryAfterMs": 500, "details": { "reason": "startup-sidecars" } })
}
