//! S3, and stores that speak its protocol.

mod address;

use async_trait::async_trait;
use nora_provider_sdk::{
    Connection, Context, FieldProblem, Manifest, ManifestError, NetworkError, Outcome, Provider, Rejection, Request,
    Response, Verdict,
};

use crate::classify::classify;
use crate::credentials::Credentials;
use crate::error::has_root;
use crate::sigv4::Signer;
use address::Address;

const INCOMPLETE: &str = "Nothing was sent: a secret access key, its id and a region are needed.";
const NEEDS_LIST_BUCKET: &str =
    "The key is known but may not list this bucket: it needs s3:ListBucket, and the bucket may be another account's.";
const NEEDS_A_BUCKET: &str = "The key is known but may not list buckets: fill in the bucket that it is for.";
const NO_HOST_OF_ITS_OWN: &str = "The bucket has no host of its own there: switch on `force_path_style`.";

/// Amazon S3.
#[derive(Debug)]
pub struct S3 {
    manifest: Manifest,
}

impl S3 {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("s3.toml", include_str!("../manifests/s3.toml")).map(|manifest| Self { manifest })
    }
}

#[async_trait]
impl Provider for S3 {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let mut problems = self.manifest.check_form(connection);
        let field = self.manifest.field("region").filter(|_| address::lacks_endpoint(connection));
        problems.extend(field.map(|field| FieldProblem {
            field: field.name.clone(),
            detail: "must be a region of AWS's, unless there is a custom endpoint".to_owned(),
        }));
        problems
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        let parts = (Credentials::read(connection), connection.text("region"), Address::read(connection));
        let (Some(credentials), Some(region), Some(address)) = parts else { return Outcome::unverifiable(INCOMPLETE) };
        let now = context.clock().now();
        let signer = Signer { credentials: &credentials, region: &region, service: "s3" };
        let request = signer.sign(Request::get(address.url()), now);
        match context.http().send(request).await {
            Ok(response) if address.is_answered_by(&response) => Outcome {
                status: Some(response.status),
                ..Outcome::verified(connection.account(&account(&credentials, &address)))
            },
            Ok(response) => advised(classify(&response, &credentials, now), &address),
            Err(error) => unreachable(error, &address),
        }
    }
}

impl Address {
    /// Nothing that is no list of S3's is one, whatever its status.
    fn is_answered_by(&self, response: &Response) -> bool {
        let root = if self.bucket().is_some() { "ListBucketResult" } else { "ListAllMyBucketsResult" };
        response.status == 200 && has_root(root, &response.body)
    }
}

fn account(credentials: &Credentials, address: &Address) -> String {
    let id = &credentials.access_key_id;
    address.bucket().map_or_else(|| id.clone(), |bucket| format!("{id} in {bucket}"))
}

fn advised(outcome: Outcome, address: &Address) -> Outcome {
    match outcome.verdict {
        Verdict::Rejected(Rejection::Scope) if address.bucket().is_some() => outcome.advise(NEEDS_LIST_BUCKET),
        Verdict::Rejected(Rejection::Scope) => outcome.advise(NEEDS_A_BUCKET),
        _ => outcome,
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
