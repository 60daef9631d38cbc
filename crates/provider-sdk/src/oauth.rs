//! Access tokens for a signed assertion: OAuth 2.0's grant `jwt-bearer` (RFC 7523), as services with service accounts
//! have it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nora_kernel::{Secret, Timestamp};
use serde_json::{Value, json};
use url::Url;

use crate::signature::{InvalidKey, RsaKey};
use crate::{Request, Response};

/// How long an assertion lives, in seconds: an hour is what services allow at most.
const LIFETIME: i64 = 3600;

const GRANT: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";

/// What an assertion says.
///
/// ```
/// use nora_provider_sdk::oauth::Assertion;
/// use nora_provider_sdk::signature::RsaKey;
/// use nora_provider_sdk::{Request, Timestamp};
///
/// fn request(key: &RsaKey, now: Timestamp) -> Option<Request> {
///     let url = "https://login.acme.example/token".parse().ok()?;
///     let assertion =
///         Assertion { token_url: &url, issuer: "robot@acme.example", key, key_id: None, scope: "read", subject: None };
///     assertion.request(now).ok()
/// }
/// ```
#[derive(Debug)]
pub struct Assertion<'a> {
    /// Where it is exchanged, which is also whom it is meant for.
    pub token_url: &'a Url,
    /// Who signs it.
    pub issuer: &'a str,
    /// The issuer's key.
    pub key: &'a RsaKey,
    /// The name of that key, where the issuer has several.
    pub key_id: Option<&'a str>,
    /// What the token is to be good for: scopes with spaces between them.
    pub scope: &'a str,
    /// Whom the issuer acts for, if not for itself.
    pub subject: Option<&'a str>,
}

impl Assertion<'_> {
    /// The request that exchanges the assertion, signed now.
    ///
    /// # Errors
    ///
    /// The key cannot sign.
    pub fn request(&self, now: Timestamp) -> Result<Request, InvalidKey> {
        let form = Secret::new(format!("{GRANT}{}", self.signed(now)?.expose()));
        Ok(Request::post_form(self.token_url.clone(), form).header("accept", "application/json"))
    }

    fn signed(&self, now: Timestamp) -> Result<Secret, InvalidKey> {
        let issued = now.as_seconds();
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        let mut claims = json!({
            "iss": self.issuer,
            "scope": self.scope,
            "aud": self.token_url.as_str(),
            "iat": issued,
            "exp": issued.saturating_add(LIFETIME),
        });
        put(&mut header, "kid", self.key_id);
        put(&mut claims, "sub", self.subject);
        let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = self.key.sign_rs256(signed.as_bytes())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

fn put(object: &mut Value, name: &str, value: Option<&str>) {
    if let (Value::Object(members), Some(value)) = (object, value) {
        members.insert(name.to_owned(), Value::from(value));
    }
}

/// The access token in an answer (RFC 6749, section 5.1), if it is one that grants.
///
/// ```
/// use nora_provider_sdk::{Response, oauth};
///
/// let granted = Response { status: 200, headers: Vec::new(), body: r#"{"access_token": "t0ken"}"#.into() };
/// assert_eq!(oauth::access_token(&granted).expect("a token").expose(), "t0ken");
/// ```
pub fn access_token(response: &Response) -> Option<Secret> {
    let answer = response.json().filter(|_| response.status == 200)?;
    let token = answer.get("access_token")?.as_str()?;
    (!token.is_empty()).then(|| Secret::new(token.to_owned()))
}

/// The code of an error (RFC 6749, section 5.2), such as `invalid_grant`. It is a peer's text, to be compared and not
/// to be shown.
///
/// ```
/// use nora_provider_sdk::{Response, oauth};
///
/// let refused = Response { status: 400, headers: Vec::new(), body: r#"{"error": "invalid_grant"}"#.into() };
/// assert_eq!(oauth::error_code(&refused).as_deref(), Some("invalid_grant"));
/// ```
pub fn error_code(response: &Response) -> Option<String> {
    let answer = response.json().filter(|_| response.status >= 400)?;
    answer.get("error")?.as_str().map(str::to_owned)
}
