//! What a test's result looks like.

use nora_integrations::Report;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::whole_seconds;
use crate::wire::{ReasonWord, Time, VerdictWord};

/// What a connection test found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestResult<'a> {
    /// Whether the connection was proved to work.
    #[schema(example = true)]
    success: bool,
    /// The result in words.
    #[schema(example = "Connection verified successfully")]
    message: &'a str,
    /// How it ended.
    verdict: VerdictWord,
    /// Why the credentials were rejected, or the service was unreachable.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason_code: Option<ReasonWord>,
    /// The message again, where the connection was not proved to work.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<&'a str>,
    /// How long the test took.
    #[schema(example = 184)]
    latency_ms: u64,
    /// When it ended.
    checked_at: Time,
    /// Whose credentials they are, where the service says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<String>,
    /// How many seconds the service asks to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
}

impl<'a> TestResult<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let Report { outcome, message, latency, checked_at } = report;
        Self {
            success: report.is_success(),
            message,
            verdict: VerdictWord(outcome.verdict.as_str()),
            reason_code: outcome.verdict.reason().map(ReasonWord),
            error: (!report.is_success()).then_some(message),
            latency_ms: u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            checked_at: Time(*checked_at),
            account: outcome.account.as_ref().map(ToString::to_string),
            retry_after: outcome.retry_after.map(whole_seconds),
        }
    }
}
