//! Asking an API server who one is, and what its answer means.

use nora_provider_sdk::{
    Context, Method, Outcome, Rejection, Request, Response, Secret, Timestamp, Unreachable, Verdict,
};
use serde_json::{Value, json};
use url::Url;

use crate::access::Access;

const ANONYMOUS: &str = "system:anonymous";

const IGNORED: &str = "The API server ignored the token and took the caller for anonymous.";
const MAY_NOT_ASK: &str =
    "The API server knows the token, but its user may not ask who it is: the cluster role system:basic-user allows it.";
const NO_API: &str = "No Kubernetes API server answers at this URL.";
const NAMELESS: &str = "The API server takes the token. It is older than Kubernetes 1.28 and does not say whose it is.";
const NO_TLS: &str = "No trusted TLS session could be made. A connection test always verifies the certificate, insecure-skip-tls-verify or not.";
const NOT_SENT: &str = "Nothing was sent: the API server's URL cannot be extended.";

/// Asks who the token's user is. Clusters that do not know the question yet are asked what the user may do.
pub(crate) async fn review(access: &Access, namespace: &str, context: &dyn Context) -> Result<Who, Box<Outcome>> {
    let token = access.token.as_ref().map_err(|advice| Box::new(Outcome::unverifiable(*advice)))?;
    let asker = Asker { server: &access.server, token, context };
    let who_am_i = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let response = asker.ask("authentication.k8s.io", "selfsubjectreviews", &who_am_i).await?;
    if let Some(user) = user_name(&response) {
        let shown = !user.contains(token.expose());
        return Ok(Who { user: shown.then_some(user), status: response.status, advice: None });
    }
    if response.status != 404 {
        return Err(Box::new(refusal(&response, context.clock().now())));
    }
    let may_i = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": { "namespace": namespace, "verb": "get", "resource": "pods" } },
    });
    let response = asker.ask("authorization.k8s.io", "selfsubjectaccessreviews", &may_i).await?;
    if is_access_review(&response) {
        return Ok(Who { user: None, status: response.status, advice: Some(NAMELESS) });
    }
    Err(Box::new(refusal(&response, context.clock().now())))
}

/// Whose token it is.
pub(crate) struct Who {
    /// `None` where the API server does not say, or says what must not be shown.
    pub(crate) user: Option<String>,
    pub(crate) status: u16,
    pub(crate) advice: Option<&'static str>,
}

struct Asker<'a> {
    server: &'a Url,
    token: &'a Secret,
    context: &'a dyn Context,
}

impl Asker<'_> {
    async fn ask(&self, group: &str, resource: &str, body: &Value) -> Result<Response, Box<Outcome>> {
        let mut url = self.server.clone();
        let extended = url.path_segments_mut().map(|mut path| {
            path.pop_if_empty().extend(["apis", group, "v1", resource]);
        });
        extended.map_err(|()| Box::new(Outcome::unverifiable(NOT_SENT)))?;
        let body = Some(Secret::new(body.to_string()));
        let request = Request { method: Method::Post, url, headers: Vec::new(), body };
        let request = request.header("accept", "application/json").header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {}", self.token.expose()));
        self.context.http().send(request).await.map_err(|error| {
            let outcome = Outcome::unreachable(error.into());
            let is_tls = outcome.verdict == Verdict::Unreachable(Unreachable::Tls);
            Box::new(if is_tls { outcome.advise(NO_TLS) } else { outcome })
        })
    }
}

fn made(response: &Response, kind: &str) -> Option<Value> {
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    let is_kind = answer.get("kind").and_then(Value::as_str) == Some(kind);
    (matches!(response.status, 200 | 201) && is_kind).then_some(answer)
}

/// The name the API server gives the caller, if it is one.
fn user_name(response: &Response) -> Option<String> {
    let answer = made(response, "SelfSubjectReview")?;
    let name = answer.pointer("/status/userInfo/username")?.as_str()?;
    (!name.is_empty() && name != ANONYMOUS).then(|| name.to_owned())
}

/// A wrong token never gets this far: it is refused before the question is read.
fn is_access_review(response: &Response) -> bool {
    let answer = made(response, "SelfSubjectAccessReview");
    answer.is_some_and(|answer| answer.pointer("/status/allowed").is_some_and(Value::is_boolean))
}

fn refusal(response: &Response, now: Timestamp) -> Outcome {
    let was_ignored = made(response, "SelfSubjectReview")
        .is_some_and(|answer| answer.pointer("/status/userInfo/username").and_then(Value::as_str) == Some(ANONYMOUS));
    let mut outcome = if was_ignored || (response.status == 403 && names_nobody(response)) {
        Outcome::rejected(Rejection::Auth).advise(IGNORED)
    } else {
        let outcome = Outcome::by_status(response, now);
        match outcome.verdict {
            Verdict::Rejected(Rejection::Scope) => outcome.advise(MAY_NOT_ASK),
            Verdict::Rejected(Rejection::NotFound) => outcome.advise(NO_API),
            _ => outcome,
        }
    };
    outcome.status = Some(response.status);
    outcome
}

/// Whether a refusal speaks of an anonymous caller.
fn names_nobody(response: &Response) -> bool {
    let answer: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
    message.contains("User \"system:anonymous\"")
}
