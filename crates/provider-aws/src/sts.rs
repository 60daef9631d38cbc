//! AWS as a whole: who signed this?

use async_trait::async_trait;
use nora_provider_sdk::sigv4::{AccessKey, Signer};
use nora_provider_sdk::{Attempt, Connection, Context, Outcome, Request, Response, Secret, Unready};
use serde_json::Value;
use url::Url;

use crate::classify::classify;
use crate::error::{has_root, text_of};
use crate::{key, region};

const QUESTION: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const ANSWER: &str = "GetCallerIdentityResponse";
const INCOMPLETE: &str = "Nothing was sent: a secret access key, its id and a region of AWS's are needed.";

/// What is asked, where, and with which key.
pub(crate) struct Identity {
    key: AccessKey,
    region: String,
    url: Url,
}

#[async_trait]
impl Attempt for Identity {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        Self::find(connection).ok_or(Unready::Untestable(INCOMPLETE))
    }

    async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let now = context.clock().now();
        let signer = Signer { key: &self.key, region: &self.region, service: "sts" };
        let question = Request::post_form(self.url, Secret::new(QUESTION.to_owned()));
        let request = signer.sign(question, now).header("accept", "application/json");
        let response = context.http().send(request).await?;
        match identity(&response) {
            Some(identity) => Ok(Outcome::verified(connection.account(&identity)).with_status(response.status)),
            None => Err(classify(&response, &self.key, now).into()),
        }
    }
}

impl Identity {
    fn find(connection: &Connection<'_>) -> Option<Self> {
        let (key, region) = (key::read(connection)?, connection.text("region")?);
        let url = match connection.text("endpoint_url") {
            Some(endpoint) => endpoint,
            None => format!("https://{}/", region::host("sts", &region)?),
        };
        Some(Self { key, region, url: Url::parse(&url).ok()? })
    }
}

/// Who signed, by the service's word. What only speaks AWS's protocols may answer in XML alone.
fn identity(response: &Response) -> Option<String> {
    if response.status != 200 {
        return None;
    }
    let json = response.json();
    let pointer = format!("/{ANSWER}/GetCallerIdentityResult/Arn");
    let arn = match &json {
        Some(json) => json.pointer(&pointer).and_then(Value::as_str),
        None => text_of("Arn", &response.body).filter(|_| has_root(ANSWER, &response.body)),
    };
    arn.filter(|arn| arn.starts_with("arn:")).map(str::to_owned)
}
