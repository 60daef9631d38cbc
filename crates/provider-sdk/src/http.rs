//! HTTP as a provider sees it.

use async_trait::async_trait;
use bytes::Bytes;
use nora_kernel::Secret;
use url::Url;

use crate::NetworkError;

/// A request method a connection test may use.
///
/// Anything but `Get` and `Head` needs the manifest's `read_only_because`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// HEAD.
    Head,
    /// POST.
    Post,
}

impl Method {
    /// The method on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
        }
    }
}

/// A request. Its URL, header values and body may hold secrets, so its `Debug` shows the method alone.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The URL. It may hold a credential where a service insists on it there, and is never logged.
    pub url: Url,
    /// Header names and values; every value is marked sensitive.
    pub headers: Vec<(String, Secret)>,
    /// The body, if any.
    pub body: Option<Secret>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Request {
    /// A GET request.
    pub fn get(url: Url) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), body: None }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Secret::new(value.into())));
        self
    }
}

/// An answer. Its body is a peer's text: to be parsed, never to be shown.
pub struct Response {
    /// The status code. Redirects are answers like any other: they are not followed.
    pub status: u16,
    /// Header names in lower case, and values that are text.
    pub headers: Vec<(String, String)>,
    /// The body, no larger than the context's cap.
    pub body: Bytes,
}

impl Response {
    /// The first header with this name (given in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Response {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Sends requests.
#[async_trait]
pub trait HttpClient: Send + Sync {
    /// Sends `request` and returns the whole answer, whatever its status.
    ///
    /// Redirects are not followed, no proxy is asked, nothing is decompressed, no cookie is kept.
    async fn send(&self, request: Request) -> Result<Response, NetworkError>;
}
