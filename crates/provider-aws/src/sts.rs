//! AWS as a whole: who signed this?

use async_trait::async_trait;
use nora_provider_sdk::{
    Connection, Context, Manifest, ManifestError, Method, Outcome, Provider, Request, Response, Secret,
};
use serde_json::Value;
use url::Url;

use crate::classify::classify;
use crate::credentials::Credentials;
use crate::error::{has_root, text_of};
use crate::region;
use crate::sigv4::Signer;

const QUESTION: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const ANSWER: &str = "GetCallerIdentityResponse";
const INCOMPLETE: &str = "Nothing was sent: a secret access key, its id and a region of AWS's are needed.";

/// Amazon Web Services.
#[derive(Debug)]
pub struct Aws {
    manifest: Manifest,
}

impl Aws {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("aws.toml", include_str!("../manifests/aws.toml")).map(|manifest| Self { manifest })
    }
}

#[async_trait]
impl Provider for Aws {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        let parts = (Credentials::read(connection), connection.text("region"));
        let (Some(credentials), Some(region)) = parts else { return Outcome::unverifiable(INCOMPLETE) };
        let Some(url) = address(connection, &region) else { return Outcome::unverifiable(INCOMPLETE) };
        let now = context.clock().now();
        let signer = Signer { credentials: &credentials, region: &region, service: "sts" };
        let request = signer.sign(question(url), now).header("accept", "application/json");
        match context.http().send(request).await {
            Ok(response) => match identity(&response) {
                Some(identity) => {
                    Outcome { status: Some(response.status), ..Outcome::verified(connection.account(&identity)) }
                }
                None => classify(&response, &credentials, now),
            },
            Err(error) => Outcome::unreachable(error.into()),
        }
    }
}

fn address(connection: &Connection<'_>, region: &str) -> Option<Url> {
    let endpoint = match connection.text("endpoint_url") {
        Some(endpoint) => endpoint,
        None => format!("https://{}/", region::host("sts", region)?),
    };
    Url::parse(&endpoint).ok()
}

fn question(url: Url) -> Request {
    let body = Some(Secret::new(QUESTION.to_owned()));
    let request = Request { method: Method::Post, url, headers: Vec::new(), body };
    request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
}

/// Who signed, by the service's word. What only speaks AWS's protocols may answer in XML alone.
fn identity(response: &Response) -> Option<String> {
    if response.status != 200 {
        return None;
    }
    let json = serde_json::from_slice::<Value>(&response.body).ok();
    let pointer = format!("/{ANSWER}/GetCallerIdentityResult/Arn");
    let arn = match &json {
        Some(json) => json.pointer(&pointer).and_then(Value::as_str),
        None => text_of("Arn", &response.body).filter(|_| has_root(ANSWER, &response.body)),
    };
    arn.filter(|arn| arn.starts_with("arn:")).map(str::to_owned)
}
