//! From a service account's key to an access token: an assertion signed by the key, taken to Google.

use nora_provider_sdk::oauth::{Assertion, access_token, error_code};
use nora_provider_sdk::{Context, Outcome, Rejection, Response, Secret, Timestamp};
use url::Url;

use crate::service_account::{ServiceAccount, TOKEN_URI};

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
    let unsigned = || Outcome::unverifiable(UNSIGNED);
    let assertion = Assertion {
        token_url: &Url::parse(TOKEN_URI).map_err(|_| unsigned())?,
        issuer: &account.email,
        key: &account.key,
        key_id: account.key_id.as_deref(),
        scope: grant.scope,
        subject: grant.user,
    };
    let response = context.http().send(assertion.request(now).map_err(|_| unsigned())?).await?;
    access_token(&response).ok_or_else(|| refusal(&response, grant, now).into())
}

fn refusal(response: &Response, grant: &Grant<'_>, now: Timestamp) -> Outcome {
    let outcome = match (error_code(response).as_deref(), grant.user) {
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
    outcome.with_status(response.status)
}
