//! From a service account's key to an access token: an assertion signed by the key, taken to Google.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_provider_sdk::signature::InvalidKey;
use nora_provider_sdk::{Context, Method, Outcome, Rejection, Request, Response, Secret, Timestamp};
use serde_json::{Value, json};
use url::Url;

use crate::service_account::{ServiceAccount, TOKEN_URI};

/// As long as Google lets an assertion live, in seconds.
const LIFETIME: i64 = 3600;

const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";

const UNSIGNED: &str = "Nothing was sent: the service account's key cannot sign.";
const REFUSED: &str =
    "Google does not take this key: it was deleted, its service account is gone, or Nora's clock is wrong.";
const REFUSED_FOR_USER: &str = "Google does not take this key for this user: the key or its service account is gone, the user does not exist, or Nora's clock is wrong.";
const NOT_DELEGATED: &str = "Domain-wide delegation is missing: let the service account act for users in the Workspace admin console, with this scope: ";
const NOT_ALLOWED: &str = "Google does not give this service account a token for this service.";

/// What a token is to be good for.
pub(crate) struct Grant<'a> {
    pub(crate) scope: &'static str,
    /// The user it is to act for, in place of the service account itself.
    pub(crate) user: Option<&'a str>,
}

/// Gets an access token. `Err` is how the test ends.
pub(crate) async fn exchange(
    account: &ServiceAccount,
    grant: &Grant<'_>,
    context: &dyn Context,
) -> Result<Secret, Box<Outcome>> {
    let now = context.clock().now();
    let unsigned = |_| Box::new(Outcome::unverifiable(UNSIGNED));
    let request = request(&assertion(account, grant, now).map_err(unsigned)?)?;
    let response = context.http().send(request).await;
    let response = response.map_err(|error| Box::new(Outcome::unreachable(error.into())))?;
    token(&response).ok_or_else(|| Box::new(refusal(&response, grant, now)))
}

fn assertion(account: &ServiceAccount, grant: &Grant<'_>, now: Timestamp) -> Result<Secret, InvalidKey> {
    let issued = now.as_seconds();
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    let mut claims = json!({
        "iss": account.email,
        "scope": grant.scope,
        "aud": TOKEN_URI,
        "iat": issued,
        "exp": issued.saturating_add(LIFETIME),
    });
    put(&mut header, "kid", account.key_id.as_deref());
    put(&mut claims, "sub", grant.user);
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = account.key.sign_rs256(signed.as_bytes())?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

fn put(object: &mut Value, name: &str, value: Option<&str>) {
    if let (Value::Object(members), Some(value)) = (object, value) {
        members.insert(name.to_owned(), Value::from(value));
    }
}

fn request(assertion: &Secret) -> Result<Request, Box<Outcome>> {
    let url = Url::parse(TOKEN_URI).map_err(|_| Box::new(Outcome::unverifiable(UNSIGNED)))?;
    let body = Some(Secret::new(format!("{GRANT}{}", assertion.expose())));
    let request = Request { method: Method::Post, url, headers: Vec::new(), body };
    Ok(request.header("content-type", "application/x-www-form-urlencoded").header("accept", "application/json"))
}

fn token(response: &Response) -> Option<Secret> {
    let answer: Value = serde_json::from_slice(&response.body).ok()?;
    let token = answer.pointer("/access_token")?.as_str()?;
    (response.status == 200 && !token.is_empty()).then(|| Secret::new(token.to_owned()))
}

fn refusal(response: &Response, grant: &Grant<'_>, now: Timestamp) -> Outcome {
    let answer: Option<Value> = serde_json::from_slice(&response.body).ok();
    let error = answer.as_ref().filter(|_| response.status >= 400).and_then(|answer| answer.get("error")?.as_str());
    let mut outcome = match (error, grant.user) {
        (Some("invalid_grant"), None) => Outcome::rejected(Rejection::Auth).advise(REFUSED),
        (Some("invalid_grant"), Some(_)) => Outcome::rejected(Rejection::Auth).advise(REFUSED_FOR_USER),
        (Some("unauthorized_client" | "invalid_scope" | "access_denied"), Some(_)) => {
            Outcome::rejected(Rejection::Scope).advise(format!("{NOT_DELEGATED}{}", grant.scope))
        }
        (Some("unauthorized_client" | "invalid_scope" | "access_denied"), None) => {
            Outcome::rejected(Rejection::Scope).advise(NOT_ALLOWED)
        }
        _ => Outcome::by_status(response, now),
    };
    outcome.status = Some(response.status);
    outcome
}
