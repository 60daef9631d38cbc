//! A panic costs one request its answer and nobody else anything.

use std::fmt;
use std::panic::AssertUnwindSafe;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, ResponseError};
use futures_util::FutureExt as _;
use nora_kernel::RequestId;

use super::add_headers;
use crate::problem::Problem;

/// Something panicked. Where and why is the panic hook's to say.
pub(super) struct Panicked;

/// Routes the request and runs its handler, panics included.
pub(super) async fn caught(next: Next<BoxBody>, request: ServiceRequest) -> Result<ServiceResponse<BoxBody>, Panicked> {
    // What a handler was in the middle of is dropped with its future; what handlers share copes with poisoned locks.
    let routed = AssertUnwindSafe(async move { next.call(request).await });
    match routed.catch_unwind().await {
        Ok(Ok(response)) => Ok(response),
        // Services answer with responses, also about errors; an error here has lost its request like a panic.
        Ok(Err(_)) | Err(_) => Err(Panicked),
    }
}

impl Panicked {
    /// The request went down with the handler, so the answer travels as an error.
    pub(super) fn answered_as(self, request: RequestId) -> Error {
        let Self = self;
        Failed(request).into()
    }
}

struct Failed(RequestId);

impl fmt::Debug for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a handler panicked")
    }
}

impl ResponseError for Failed {
    fn error_response(&self) -> HttpResponse {
        let mut response = Problem::fault("a handler panicked").answer(self.0);
        add_headers(response.headers_mut(), self.0);
        response
    }
}
