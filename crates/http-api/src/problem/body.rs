//! What a problem looks like on the wire.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// One part of a request that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ProblemPlace)]
pub(crate) struct Place {
    /// Where in the body: a JSON Pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false, example = "/config/site")]
    pointer: Option<Cow<'static, str>>,
    /// Which query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<&'static str>,
    /// What to change. It never repeats a value.
    #[schema(value_type = String, example = "is required")]
    detail: Cow<'static, str>,
}

impl Place {
    /// A part of the body.
    pub(crate) fn pointer(pointer: impl Into<String>, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: Some(Cow::Owned(pointer.into())), parameter: None, detail: detail.into() }
    }

    /// A parameter of the query.
    pub(crate) fn parameter(parameter: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: Some(parameter), detail: detail.into() }
    }
}

/// Why a request was not answered with a success (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Names the kind of problem. It is to be compared, not fetched.
    #[serde(rename = "type")]
    #[schema(example = "urn:nora:problem:agent_not_found")]
    pub(super) type_uri: &'a str,
    /// The kind of problem in words.
    #[schema(example = "There is no such agent")]
    pub(super) title: &'a str,
    /// The HTTP status.
    #[schema(example = 404)]
    pub(super) status: u16,
    /// What happened this time.
    #[schema(example = "there is no such agent")]
    pub(super) detail: &'a str,
    /// The stable name of the problem, for programs to match on.
    #[schema(example = "agent_not_found")]
    pub(super) code: &'a str,
    /// The same text as `detail`.
    #[schema(example = "there is no such agent")]
    pub(super) error: &'a str,
    /// The request, as in `X-Request-Id` and the service's log.
    #[schema(example = "0198f0c4-5a1e-7cc3-98c4-dc0c0c07398f")]
    pub(super) request_id: Uuid,
    /// The parts of the request that are not acceptable, where it comes down to some.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<Place>, required = false)]
    pub(super) errors: &'a [Place],
    /// The record that is in the way (`integration_exists`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) integration_id: Option<Uuid>,
}
