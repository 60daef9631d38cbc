//! Asking an API server who one is, and what its answer means.

use nora_provider_sdk::{Context, Outcome, Rejection, Request, Response, Timestamp, Unreachable, Verdict};
use serde_json::{Value, json};

use crate::access::Access;

const ANONYMOUS: &str = "system:anonymous";

const IGNORED: &str = "The API server ignored the token and took the caller for anonymous.";
const MAY_NOT_ASK: &str =
    "The API server knows the token, but its user may not ask who it is: the cluster role system:basic-user allows it.";
const NO_API: &str = "No Kubernetes API server answers at this URL.";
const NAMELESS: &str = "The API server takes the token. It is older than Kubernetes 1.28 and does not say whose it is.";
const NO_TLS: &str = "No trusted TLS session could be made. A connection test always verifies the certificate, insecure-skip-tls-verify or not.";

/// Asks who the token's user is. Clusters that do not know the question yet are asked what the user may do.
pub(crate) async fn review(access: &Access, namespace: &str, context: &dyn Context) -> Result<Who, Box<Outcome>> {
    let asker = Asker { access, context };
    let who_am_i = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
    let response = asker.ask("authentication.k8s.io", "selfsubjectreviews", &who_am_i).await?;
    if let Some(user) = user_name(&response) {
        let shown = !user.contains(access.token.expose());
        return Ok(Who { user: shown.then_some(user), status: response.status, advice: None });
    }
    if response.status != 404 {
        return Err(refusal(&response, context.clock().now()).into());
    }
    let may_i = json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": { "namespace": namespace, "verb": "get", "resource": "pods" } },
    });
    let response = asker.ask("authorization.k8s.io", "selfsubjectaccessreviews", &may_i).await?;
    if is_access_review(&response) {
        return Ok(Who { user: None, status: response.status, advice: Some(NAMELESS) });
    }
    Err(refusal(&response, context.clock().now()).into())
}

/// Whose token it is.
pub(crate) struct Who {
    /// `None` where the API server does not say, or says what must not be shown.
    pub(crate) user: Option<String>,
    pub(crate) status: u16,
    pub(crate) advice: Option<&'static str>,
}

struct Asker<'a> {
    access: &'a Access,
    context: &'a dyn Context,
}

impl Asker<'_> {
    async fn ask(&self, group: &str, resource: &str, body: &Value) -> Result<Response, Box<Outcome>> {
        let mut url = self.access.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["apis", group, "v1", resource]);
        }
        let request = Request::post_json(url, body).bearer(&self.access.token);
        let response = self.context.http().send(request).await.map_err(Box::<Outcome>::from);
        response.map_err(|outcome| outcome.advise_on(&Verdict::Unreachable(Unreachable::Tls), NO_TLS).into())
    }
}

fn made(response: &Response, kind: &str) -> Option<Value> {
    let answer = response.json()?;
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
    let outcome = if was_ignored || (response.status == 403 && names_nobody(response)) {
        Outcome::rejected(Rejection::Auth).advise(IGNORED)
    } else {
        let outcome = Outcome::by_status(response, now);
        let outcome = outcome.advise_on(&Verdict::Rejected(Rejection::Scope), MAY_NOT_ASK);
        outcome.advise_on(&Verdict::Rejected(Rejection::NotFound), NO_API)
    };
    outcome.with_status(response.status)
}

/// Whether a refusal speaks of an anonymous caller.
fn names_nobody(response: &Response) -> bool {
    let answer = response.json().unwrap_or_default();
    let message = answer.get("message").and_then(Value::as_str).unwrap_or_default();
    message.contains("User \"system:anonymous\"")
}
