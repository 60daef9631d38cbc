//! Problems: every answer that is not a success (RFC 9457).

mod body;
mod chain;
mod code;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use nora_catalog::Violation;
use nora_kernel::{BoxError, IntegrationId, RequestId, SealError, Unavailable, WorkspaceForbidden};

pub(crate) use body::{Place, ProblemBody};
pub(crate) use chain::chain;
pub(crate) use code::ErrorCode;

/// The media type of every problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// How long to wait before a request that failed for a passing reason is sent again.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a request was not answered with a success.
///
/// Its texts are ours. What caused it is kept for the log and shown to nobody.
#[derive(Debug)]
pub(crate) struct Problem(Box<Details>);

#[derive(Debug)]
struct Details {
    code: ErrorCode,
    status: StatusCode,
    detail: Cow<'static, str>,
    places: Vec<Place>,
    retry_after: Option<Duration>,
    allow: Option<String>,
    integration: Option<IntegrationId>,
    cause: Option<BoxError>,
}

impl Problem {
    pub(crate) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            code,
            status: code.status(),
            detail: detail.into(),
            places: Vec::new(),
            retry_after: None,
            allow: None,
            integration: None,
            cause: None,
        }))
    }

    /// Something of ours failed, and trying again will not help.
    pub(crate) fn fault(cause: impl Into<BoxError>) -> Self {
        let detail = "the service failed; its log has the details under this request id";
        Self::new(ErrorCode::Internal, detail).because(cause)
    }

    /// Something of ours failed that may work again in a moment.
    pub(crate) fn passing(cause: impl Into<BoxError>) -> Self {
        let detail = "a part of the service cannot answer now; try again";
        Self::new(ErrorCode::Unavailable, detail).after(PATIENCE).because(cause)
    }

    /// What is wrong with which parts of the body.
    pub(crate) fn at(code: ErrorCode, detail: impl Into<Cow<'static, str>>, places: Vec<Place>) -> Self {
        let mut problem = Self::new(code, detail);
        problem.0.places = places;
        problem
    }

    /// One thing is wrong with one part of the body.
    pub(crate) fn at_pointer(code: ErrorCode, pointer: &str, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        Self::at(code, detail.clone(), vec![Place::pointer(pointer, detail)])
    }

    /// What a provider's schema says against a request.
    pub(crate) fn violations(code: ErrorCode, detail: impl fmt::Display, violations: Vec<Violation>) -> Self {
        let place = |violation: Violation| Place::pointer(violation.pointer, violation.detail);
        Self::at(code, detail.to_string(), violations.into_iter().map(place).collect())
    }

    /// Answers with another status than usual, where a third party's protocol wants it.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// Says how long to wait.
    pub(crate) fn after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Says which methods the path takes.
    pub(crate) fn allowing(mut self, methods: String) -> Self {
        self.0.allow = Some(methods);
        self
    }

    /// Names the integration that is in the way.
    pub(crate) fn existing(mut self, integration: IntegrationId) -> Self {
        self.0.integration = Some(integration);
        self
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The parts of the request it comes down to.
    #[cfg(test)]
    pub(crate) fn places(&self) -> &[Place] {
        &self.0.places
    }

    /// What caused it, if the log should say so.
    pub(crate) fn cause(&self) -> Option<&BoxError> {
        self.0.cause.as_ref()
    }

    /// The whole answer.
    pub(crate) fn answer(&self, request: RequestId) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        response.content_type(PROBLEM_JSON);
        if let Some(wait) = self.0.retry_after {
            response.insert_header((RETRY_AFTER, whole_seconds(wait)));
        }
        if let Some(methods) = self.0.allow.as_deref().and_then(|methods| HeaderValue::from_str(methods).ok()) {
            response.insert_header((ALLOW, methods));
        }
        if self.0.code == ErrorCode::Unauthenticated {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        // A structure of texts always serialises; an empty body under the right status would be the lesser evil.
        response.body(serde_json::to_vec(&self.body(request)).unwrap_or_default())
    }

    fn body(&self, request: RequestId) -> ProblemBody<'_> {
        let Details { code, status, detail, places, integration, .. } = self.0.as_ref();
        ProblemBody {
            type_uri: code.type_uri(),
            title: code.title(),
            status: status.as_u16(),
            detail,
            code: code.as_str(),
            error: detail,
            request_id: request.as_uuid(),
            errors: places,
            integration_id: integration.map(IntegrationId::as_uuid),
        }
    }

    fn because(mut self, cause: impl Into<BoxError>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }
}

/// Seconds as `Retry-After` has them: never too few, never zero.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.code.as_str())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    /// A place holder: the middleware knows the request's id and replaces it by [`Problem::answer`].
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        if error.is_retryable() { Self::passing(error) } else { Self::fault(error) }
    }
}

impl From<SealError> for Problem {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Key => Self::fault(error),
            SealError::Unavailable(_) => Self::passing(error),
        }
    }
}

impl From<WorkspaceForbidden> for Problem {
    fn from(error: WorkspaceForbidden) -> Self {
        Self::new(ErrorCode::WorkspaceForbidden, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up_and_never_zero() {
        let waits = [(0, 1), (1, 1), (999, 1), (1000, 1), (1001, 2), (40_000, 40)];
        for (milliseconds, seconds) in waits {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), seconds, "{milliseconds}");
        }
    }

    #[test]
    fn only_what_may_pass_is_to_be_tried_again() {
        let passing = Problem::from(Unavailable::transient("the pool is empty"));
        let lasting = Problem::from(Unavailable::fault("a row does not parse"));
        assert_eq!((passing.code(), lasting.code()), (ErrorCode::Unavailable, ErrorCode::Internal));
        let request = RequestId::from_uuid(uuid::Uuid::nil());
        assert!(passing.answer(request).headers().contains_key(RETRY_AFTER));
        assert!(!lasting.answer(request).headers().contains_key(RETRY_AFTER));
    }
}
