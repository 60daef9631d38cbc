//! AWS's Signature Version 4, which stores and services of others have taken over.

use nora_kernel::{Secret, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::Request;
use crate::signature::{hmac_sha256, sha256};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What AWS encodes: all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATH: &AsciiSet = &RESERVED.remove(b'/');

/// The service whose paths are signed as they are sent, and whose requests name their body's hash.
const S3: &str = "s3";

/// A key that requests are signed with.
///
/// ```
/// use nora_provider_sdk::Secret;
/// use nora_provider_sdk::sigv4::AccessKey;
///
/// let key = AccessKey {
///     id: "AKIDEXAMPLE".to_owned(),
///     secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
///     session_token: None,
/// };
/// assert!(!format!("{key:?}").contains("wJalr"));
/// ```
#[derive(Debug)]
pub struct AccessKey {
    /// The key's id, which is public.
    pub id: String,
    /// The secret half.
    pub secret: Secret,
    /// What goes with a temporary key.
    pub session_token: Option<Secret>,
}

/// Signs requests to one service in one region.
///
/// ```
/// use nora_provider_sdk::sigv4::{AccessKey, Signer};
/// use nora_provider_sdk::{Request, Secret, Timestamp};
///
/// let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned());
/// let key = AccessKey { id: "AKIDEXAMPLE".to_owned(), secret, session_token: None };
/// let signer = Signer { key: &key, region: "us-east-1", service: "s3" };
/// let request = Request::get("https://s3.us-east-1.amazonaws.com/?max-buckets=1".parse().expect("a URL"));
/// let signed = signer.sign(request, Timestamp::from_microseconds(1_440_938_160_000_000));
/// assert!(signed.headers.iter().any(|(name, value)| {
///     name == "authorization" && value.expose().starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/")
/// }));
/// ```
#[derive(Debug)]
pub struct Signer<'a> {
    /// Whose request it is.
    pub key: &'a AccessKey,
    /// The region, such as `eu-central-1`; stores of others often have one of their own.
    pub region: &'a str,
    /// The service's name in signatures, such as `sts`.
    pub service: &'a str,
}

impl Signer<'_> {
    /// Signs `request` with every header it has; one that is added later is not covered.
    #[must_use]
    pub fn sign(&self, request: Request, now: Timestamp) -> Request {
        let time = basic_format(now);
        let day = time.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let request = self.with_headers(request, &time);
        let (canonical, names) = self.canonical(&request);
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex::encode(sha256(canonical.expose().as_bytes())));
        let signature = hex::encode(hmac_sha256(&self.signing_key(day), to_sign.as_bytes()));
        let id = &self.key.id;
        let value = format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        request.header("authorization", value)
    }

    fn with_headers(&self, request: Request, time: &str) -> Request {
        let mut request = request.header("x-amz-date", time);
        if let Some(token) = &self.key.session_token {
            request.headers.push(("x-amz-security-token".to_owned(), token.duplicate()));
        }
        if self.service == S3 {
            let hash = body_hash(&request);
            request = request.header("x-amz-content-sha256", hash);
        }
        request
    }

    /// The canonical request, and the names of the headers in it. A session token is among their values.
    fn canonical(&self, request: &Request) -> (Secret, String) {
        let host = ("host".to_owned(), Secret::new(host(&request.url)));
        let mut headers: Vec<(String, &Secret)> =
            request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        headers.push((host.0, &host.1));
        headers.sort_by(|left, right| left.0.cmp(&right.0));
        let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: Vec<&str> =
            headers.iter().flat_map(|(name, value)| [name, ":", value.expose().trim(), "\n"]).collect();
        let (path, query, hash) = (self.path(&request.url), query(&request.url), body_hash(request));
        let line = [request.method.as_str(), "\n", &path, "\n", &query, "\n"];
        let canonical = [&line[..], &lines, &["\n", &names, "\n", &hash]].concat();
        (Secret::new(canonical.concat()), names)
    }

    fn path(&self, url: &Url) -> String {
        match self.service {
            S3 => url.path().to_owned(),
            _ => utf8_percent_encode(url.path(), RESERVED_IN_PATH).to_string(),
        }
    }

    fn signing_key(&self, day: &str) -> [u8; 32] {
        let secret = Secret::new(format!("AWS4{}", self.key.secret.expose()));
        let day = hmac_sha256(secret.expose().as_bytes(), day.as_bytes());
        let region = hmac_sha256(&day, self.region.as_bytes());
        let service = hmac_sha256(&region, self.service.as_bytes());
        hmac_sha256(&service, b"aws4_request")
    }
}

/// `20150830T123600Z`.
fn basic_format(now: Timestamp) -> String {
    let time = now.to_string().replace(['-', ':'], "");
    format!("{}Z", time.split('.').next().unwrap_or_default())
}

/// The host as HTTP clients send it: with the port, unless it is the scheme's own.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn query(url: &Url) -> String {
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<String> =
        url.query_pairs().map(|(name, value)| format!("{}={}", encode(&name), encode(&value))).collect();
    pairs.sort();
    pairs.join("&")
}

fn body_hash(request: &Request) -> String {
    hex::encode(sha256(request.body.as_ref().map(Secret::expose).unwrap_or_default().as_bytes()))
}

#[cfg(test)]
mod tests;
