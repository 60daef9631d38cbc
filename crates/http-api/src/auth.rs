//! Who may call a handler, said in the handler's type.

mod bearer;
pub(crate) mod scope;

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use nora_access::{AuthenticationError, Principal};
use nora_kernel::{Caller, RequestId, Scope};
use tracing::Span;

use crate::Api;
use crate::problem::{ErrorCode, Problem};
use crate::request::FromHead;
use scope::Requirement;

/// A request whose sender is known and may do what `R` stands for, with its path and query read as `H`.
///
/// Path and query are read after the sender was found to be authorised, and bodies later still, so that nobody learns
/// from an error what a token would have been needed for.
pub(crate) struct Authorized<R, H = ()> {
    /// Who asks.
    pub(crate) caller: Caller,
    /// What path and query say.
    pub(crate) head: H,
    /// What the service consists of.
    pub(crate) api: Data<Api>,
    requirement: PhantomData<R>,
}

impl<R: Requirement, H: FromHead> FromRequest for Authorized<R, H> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        async move {
            let api = api(&request)?;
            let caller = authenticate(&api, &request).await?;
            if let Some(scope) = R::missing(caller.scopes) {
                return Err(scope_missing(scope));
            }
            let head = H::from_head(&request)?;
            Ok(Self { caller, head, api, requirement: PhantomData })
        }
        .boxed_local()
    }
}

/// The answer to a caller that lacks a scope.
pub(crate) fn scope_missing(scope: Scope) -> Problem {
    Problem::new(ErrorCode::ScopeMissing, format!("the token lacks the scope {scope}"))
}

/// What the service consists of.
pub(crate) fn api(request: &HttpRequest) -> Result<Data<Api>, Problem> {
    request.app_data::<Data<Api>>().cloned().ok_or_else(|| Problem::fault("the application was not built by `app`"))
}

/// The id the middleware gave the request.
pub(crate) fn request_id(request: &HttpRequest) -> Result<RequestId, Problem> {
    request.extensions().get().copied().ok_or_else(|| Problem::fault("the application was not built by `app`"))
}

async fn authenticate(api: &Api, request: &HttpRequest) -> Result<Caller, Problem> {
    let token = bearer::token(request.headers()).ok_or_else(unauthenticated)?;
    let principal = api.ports.authenticator.authenticate(token).await.map_err(|error| match error {
        AuthenticationError::Invalid => unauthenticated(),
        AuthenticationError::Unavailable(source) => source.into(),
    })?;
    let Principal { actor, workspace, scopes } = principal.as_ref();
    let span = Span::current();
    if !span.is_disabled() {
        span.record("actor.kind", actor.kind());
        span.record("actor.id", tracing::field::debug(actor.id()));
    }
    let request = request_id(request)?;
    Ok(Caller { actor: actor.clone(), workspace: workspace.clone(), scopes: *scopes, request })
}

/// One answer for every reason, so that it helps nobody to guess.
fn unauthenticated() -> Problem {
    Problem::new(ErrorCode::Unauthenticated, "send a valid token as `Authorization: Bearer TOKEN`")
}
