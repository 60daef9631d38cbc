//! HTTP through the guard.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use nora_provider_sdk::NetworkError;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Request, Response, StatusCode};
use tokio::time::timeout;

use crate::dial::CONNECT_TIMEOUT;
use crate::{Guard, Transport, failure};

/// Less than the 5 seconds after which common servers close an idle connection, so that few requests meet the close.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
const IDLE_PER_HOST: usize = 4;

/// Names and values of an answer's headers together.
const MOST_HEADER_BYTES: usize = 32 * 1024;

/// The HTTP client could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be built")]
pub struct ClientError(#[from] reqwest::Error);

/// What an exchange may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the first look at the name to the last byte of the answer.
    pub time: Duration,
    /// Bytes of the answer's body.
    pub body: usize,
}

/// A whole answer. Its body is a peer's text: to be parsed, never to be shown.
pub struct Answer {
    /// The status code. Redirects are answers like any other.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came over the wire; nothing is decompressed.
    pub body: Bytes,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Answer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// An HTTP client that goes where the guard lets it.
///
/// It follows no redirect, asks no proxy, keeps no cookie, decompresses nothing, and reuses idle connections.
#[derive(Clone)]
pub struct GuardedClient {
    guard: Guard,
    tls: reqwest::Client,
    plaintext: reqwest::Client,
}

impl GuardedClient {
    /// A client with a pool of its own.
    pub fn new(guard: Guard) -> Result<Self, ClientError> {
        let tls = build(&guard, Transport::Tls)?;
        let plaintext = build(&guard, Transport::Plaintext)?;
        Ok(Self { guard, tls, plaintext })
    }

    /// Sends `request` and returns the whole answer.
    ///
    /// # Errors
    ///
    /// [`NetworkError::BlockedAddress`] before anything is sent if the guard objects;
    /// [`NetworkError::TooLarge`] as soon as the answer is larger than `limits` allow.
    pub async fn send(&self, request: Request, limits: Limits) -> Result<Answer, NetworkError> {
        // The library asks no resolver about hosts that are addresses.
        let transport = self.guard.check_url(request.url())?;
        let client = match transport {
            Transport::Tls => &self.tls,
            Transport::Plaintext => &self.plaintext,
        };
        let exchange = async { read(client.execute(request).await.map_err(failure::of_http)?, limits.body).await };
        timeout(limits.time, exchange).await.unwrap_or(Err(NetworkError::Timeout))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where guarded clients are built")]
fn build(guard: &Guard, transport: Transport) -> Result<reqwest::Client, reqwest::Error> {
    let mut tls = guard.tls().config().as_ref().clone();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    reqwest::Client::builder()
        .user_agent(concat!("nora/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .https_only(transport == Transport::Tls)
        .tls_backend_preconfigured(tls)
        .dns_resolver(GuardedNames { guard: guard.clone(), transport })
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .build()
}

/// Hands the client nothing but addresses that were looked at.
struct GuardedNames {
    guard: Guard,
    transport: Transport,
}

impl Resolve for GuardedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, transport) = (self.guard.clone(), self.transport);
        Box::pin(async move {
            let addresses = guard.addresses(name.as_str(), transport).await?;
            // The client puts the URL's port in.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

async fn read(mut response: Response, most: usize) -> Result<Answer, NetworkError> {
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let header_bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let declared = response.content_length().unwrap_or(0);
    if header_bytes > MOST_HEADER_BYTES || usize::try_from(declared).is_ok_and(|declared| declared > most) {
        return Err(NetworkError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(failure::of_http)? {
        if body.len() + chunk.len() > most {
            return Err(NetworkError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, headers, body: body.freeze() })
}
