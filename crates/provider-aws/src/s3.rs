//! S3, and stores that speak its protocol.

mod address;

use async_trait::async_trait;
use nora_provider_sdk::sigv4::{AccessKey, Signer};
use nora_provider_sdk::{
    Attempt, Connection, Context, NetworkError, Outcome, Rejection, Request, Response, Unready, Verdict,
};

use crate::classify::classify;
use crate::error::has_root;
use crate::key;
use address::Address;

const INCOMPLETE: &str = "Nothing was sent: a secret access key, its id and a region are needed.";
const NOT_A_REGION: &str = "must be a region of AWS's, unless there is a custom endpoint";
const NEEDS_LIST_BUCKET: &str =
    "The key is known but may not list this bucket: it needs s3:ListBucket, and the bucket may be another account's.";
const NEEDS_A_BUCKET: &str = "The key is known but may not list buckets: fill in the bucket that it is for.";
const NO_HOST_OF_ITS_OWN: &str = "The bucket has no host of its own there: switch on `force_path_style`.";

/// What is listed, and with which key.
pub(crate) struct Listing {
    key: AccessKey,
    region: String,
    address: Address,
}

#[async_trait]
impl Attempt for Listing {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        if address::lacks_endpoint(connection) {
            return Err(Unready::Field { name: "region", detail: NOT_A_REGION });
        }
        Self::find(connection).ok_or(Unready::Untestable(INCOMPLETE))
    }

    async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let now = context.clock().now();
        let signer = Signer { key: &self.key, region: &self.region, service: "s3" };
        let response = context.http().send(signer.sign(Request::get(self.address.url()), now)).await;
        let response = response.map_err(|error| unreachable(error, &self.address))?;
        if self.address.is_answered_by(&response) {
            return Ok(Outcome::verified(connection.account(&self.account())).with_status(response.status));
        }
        let needs = if self.address.bucket().is_some() { NEEDS_LIST_BUCKET } else { NEEDS_A_BUCKET };
        let outcome = classify(&response, &self.key, now);
        Err(outcome.advise_on(&Verdict::Rejected(Rejection::Scope), needs).into())
    }
}

impl Listing {
    fn find(connection: &Connection<'_>) -> Option<Self> {
        let (key, region) = (key::read(connection)?, connection.text("region")?);
        Some(Self { key, region, address: Address::read(connection)? })
    }

    fn account(&self) -> String {
        let id = &self.key.id;
        self.address.bucket().map_or_else(|| id.clone(), |bucket| format!("{id} in {bucket}"))
    }
}

impl Address {
    /// Nothing that is no list of S3's is one, whatever its status.
    fn is_answered_by(&self, response: &Response) -> bool {
        let root = if self.bucket().is_some() { "ListBucketResult" } else { "ListAllMyBucketsResult" };
        response.status == 200 && has_root(root, &response.body)
    }
}

fn unreachable(error: NetworkError, address: &Address) -> Outcome {
    let outcome = Outcome::unreachable(error.into());
    match error {
        NetworkError::Dns | NetworkError::Tls if address.is_host_of_custom_store() => {
            outcome.advise(NO_HOST_OF_ITS_OWN)
        }
        _ => outcome,
    }
}
