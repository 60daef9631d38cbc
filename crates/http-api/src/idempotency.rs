//! Repeated requests: the first answer is given again, and no work is done twice.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use nora_kernel::{Caller, IdempotencyKey, IdempotentRequest};

use crate::problem::{ErrorCode, Problem};
use crate::request::{FromHead, RawBody};
use crate::{Api, answer};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// What bodies are digested for.
const PURPOSE: &str = "idempotency";

/// The `Idempotency-Key` of a request, if it has one.
pub(crate) struct KeyHeader(Option<IdempotencyKey>);

impl FromHead for KeyHeader {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        read(request.headers()).map(Self)
    }
}

/// The absence of an `Idempotency-Key`, on a route whose answer is never kept.
pub(crate) struct NoKeyHeader;

impl FromHead for NoKeyHeader {
    fn from_head(request: &HttpRequest) -> Result<Self, Problem> {
        if request.headers().contains_key(IDEMPOTENCY_KEY) {
            let detail = "the answer of this route shows a key once and is never kept; send no Idempotency-Key";
            return Err(Problem::new(ErrorCode::IdempotencyNotSupported, detail));
        }
        Ok(Self)
    }
}

fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let refuse = |detail: String| Problem::new(ErrorCode::IdempotencyKeyInvalid, detail);
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refuse("Idempotency-Key is given more than once".to_owned()));
    }
    let key = value.to_str().unwrap_or_default().parse();
    key.map(Some).map_err(|error: nora_kernel::InvalidIdempotencyKey| refuse(error.to_string()))
}

/// Requests that are being worked on in this process.
#[derive(Default)]
pub(crate) struct InProgress(Arc<Mutex<HashSet<Name>>>);

/// What a remembered request is unique by.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    principal: String,
    route: String,
    key: IdempotencyKey,
}

impl Name {
    fn of(request: &IdempotentRequest) -> Self {
        Self { principal: request.principal.clone(), route: request.route.clone(), key: request.key.clone() }
    }
}

impl InProgress {
    /// Claims a request until the claim is dropped; `None` if a twin holds it.
    fn claim(&self, request: &IdempotentRequest) -> Option<Claim> {
        let name = Name::of(request);
        let claimed = lock(&self.0).insert(name.clone());
        claimed.then(|| Claim { name, all: Arc::clone(&self.0) })
    }
}

struct Claim {
    name: Name,
    all: Arc<Mutex<HashSet<Name>>>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&self.all).remove(&self.name);
    }
}

/// A panic elsewhere cannot leave the set half changed.
fn lock(set: &Mutex<HashSet<Name>>) -> std::sync::MutexGuard<'_, HashSet<Name>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the work is still to be done.
pub(crate) enum Begun {
    /// It is. What was claimed is released when the attempt is dropped.
    Fresh(Attempt),
    /// It was done before; this is the answer it had.
    Replayed(HttpResponse),
}

/// A request whose work is to be done.
pub(crate) struct Attempt(Option<(IdempotentRequest, Claim)>);

/// Looks up whether a request was answered before, and claims it if not. Without a key everything is new.
///
/// `route` is the method and the path with its parameters filled in.
pub(crate) async fn begin(
    api: &Api,
    caller: &Caller,
    key: KeyHeader,
    route: String,
    body: &RawBody,
) -> Result<Begun, Problem> {
    let Some(key) = key.0 else { return Ok(Begun::Fresh(Attempt(None))) };
    let principal = format!("{}:{}", caller.actor.kind(), caller.actor.id());
    let body_digest = api.ports.digest.keyed(PURPOSE, body.bytes());
    let request = IdempotentRequest { principal, route, key, body_digest };
    if let Some(answer) = earlier(api, &request).await? {
        return Ok(Begun::Replayed(answer));
    }
    let claim = api.in_progress.claim(&request).ok_or_else(in_progress)?;
    Ok(Begun::Fresh(Attempt(Some((request, claim)))))
}

impl Attempt {
    /// What the transaction of the work has to write.
    pub(crate) fn request(&self) -> Option<IdempotentRequest> {
        self.0.as_ref().map(|(request, _)| request.clone())
    }

    /// What to answer when the work was refused: in a conflict the answer of a twin that was faster, if there was one.
    ///
    /// Which conflict a store notices first, that of the record or that of the work, is the store's business.
    pub(crate) async fn refused(self, api: &Api, problem: Problem) -> Result<HttpResponse, Problem> {
        match self.0 {
            Some((request, _claim)) if problem.code().status() == StatusCode::CONFLICT => {
                earlier(api, &request).await?.ok_or(problem)
            }
            _ => Err(problem),
        }
    }
}

/// The answer of an earlier request with the same key, if it had the same body.
async fn earlier(api: &Api, request: &IdempotentRequest) -> Result<Option<HttpResponse>, Problem> {
    let IdempotentRequest { principal, route, key, body_digest } = request;
    let found = api.ports.idempotency.find(principal, route, key, api.ports.clock.now()).await?;
    let Some(record) = found else { return Ok(None) };
    if record.body_digest != *body_digest {
        let detail = "this Idempotency-Key was sent with another body before";
        return Err(Problem::new(ErrorCode::IdempotencyMismatch, detail));
    }
    let mut response = answer::stored(record.answer)?;
    response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(response))
}

fn in_progress() -> Problem {
    Problem::new(ErrorCode::IdempotencyInProgress, "a request with this Idempotency-Key is under way")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn one_key_of_printable_characters() {
        assert!(read(&headers(&[])).unwrap().is_none());
        assert_eq!(read(&headers(&["order 7"])).unwrap().unwrap().as_str(), "order 7");
        assert!(read(&headers(&[&"x".repeat(255)])).is_ok());
        for refused in [&["a", "a"][..], &[""], &[&"x".repeat(256)], &["ключ"]] {
            let code = read(&headers(refused)).map(|_| ()).unwrap_err().code();
            assert_eq!(code, ErrorCode::IdempotencyKeyInvalid, "{refused:?}");
        }
    }

    #[test]
    fn a_claim_ends_when_it_is_dropped() {
        let all = InProgress::default();
        let request = IdempotentRequest {
            principal: "api_key:1".to_owned(),
            route: "POST /x".to_owned(),
            key: "k".parse().unwrap(),
            body_digest: [0; 32],
        };
        let other = IdempotentRequest { principal: "api_key:2".to_owned(), ..request.clone() };
        let first = all.claim(&request);
        assert!(first.is_some() && all.claim(&request).is_none() && all.claim(&other).is_some());
        drop(first);
        assert!(all.claim(&request).is_some());
    }
}
