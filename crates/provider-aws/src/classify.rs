//! What AWS's refusals mean. Stores with S3's protocol have taken its codes over.

use nora_provider_sdk::sigv4::AccessKey;
use nora_provider_sdk::{Outcome, Rejection, Response, Timestamp, Unreachable};

use crate::error::{code, text_of};
use crate::key::lacks_session_token;
use crate::region;

const UNKNOWN_KEY: &str = "The service does not know this access key: it was deleted, or belongs to another of AWS's partitions or a region that is switched off.";
const UNKNOWN_KEY_OR_NO_TOKEN: &str = "A key that begins with ASIA is temporary: enter its session token too.";
const WRONG_SECRET: &str = "Check the secret access key, and the clock of the machine that Nora runs on.";
const ENDED: &str = "These temporary credentials have ended: enter new ones.";
const WRONG_TOKEN: &str = "The session token does not belong to this key.";
const CLOCK: &str = "The clock of the machine that Nora runs on is wrong.";
const NO_BUCKET: &str = "There is no bucket of this name.";
const OTHER_REGION: &str = "The bucket lies in another region.";

/// The outcome for an answer that is not the one which proves the key.
pub(crate) fn classify(response: &Response, key: &AccessKey, now: Timestamp) -> Outcome {
    let code = if response.status < 300 { None } else { code(&response.body) };
    let outcome = match code.as_deref().unwrap_or_default() {
        "InvalidClientTokenId" | "InvalidAccessKeyId" | "UnrecognizedClientException" => {
            let temporary = lacks_session_token(key);
            auth().advise(if temporary { UNKNOWN_KEY_OR_NO_TOKEN } else { UNKNOWN_KEY })
        }
        "SignatureDoesNotMatch" => auth().advise(WRONG_SECRET),
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => auth().advise(ENDED),
        "InvalidToken" => auth().advise(WRONG_TOKEN),
        "MissingAuthenticationToken" => auth(),
        "NoSuchBucket" => Outcome::rejected(Rejection::NotFound).advise(NO_BUCKET),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "InvalidRegionName" => other_region(response),
        "RequestTimeTooSkewed" | "RequestExpired" => Outcome::unreachable(Unreachable::UpstreamError).advise(CLOCK),
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "SlowDown" => {
            Outcome::rate_limited(response, now)
        }
        _ => Outcome::by_status(response, now),
    };
    outcome.with_status(response.status)
}

const fn auth() -> Outcome {
    Outcome::rejected(Rejection::Auth)
}

fn other_region(response: &Response) -> Outcome {
    let told = response.header("x-amz-bucket-region").or_else(|| text_of("Region", &response.body));
    let outcome = Outcome::rejected(Rejection::NotFound);
    match told.and_then(region::known) {
        Some(region) => outcome.advise(format!("The bucket lies in {region}: enter that as the region.")),
        None => outcome.advise(OTHER_REGION),
    }
}
