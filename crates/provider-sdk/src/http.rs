//! HTTP as a provider sees it.

use async_trait::async_trait;
use bytes::Bytes;
use nora_kernel::Secret;
use serde_json::Value;
use url::Url;

use crate::NetworkError;

const JSON: &str = "application/json";

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

    /// A POST request with a form, which is percent-encoded already.
    ///
    /// ```
    /// use nora_provider_sdk::{Request, Secret};
    ///
    /// let form = Secret::new("grant_type=client_credentials&scope=read".to_owned());
    /// let request = Request::post_form("https://login.acme.example/token".parse().expect("a URL"), form);
    /// assert_eq!(request.method.as_str(), "POST");
    /// ```
    pub fn post_form(url: Url, form: Secret) -> Self {
        let request = Self { method: Method::Post, url, headers: Vec::new(), body: Some(form) };
        request.header("content-type", "application/x-www-form-urlencoded")
    }

    /// A POST request with JSON, which asks for JSON.
    ///
    /// ```
    /// use nora_provider_sdk::Request;
    ///
    /// let question = serde_json::json!({ "query": "{ viewer { login } }" });
    /// let request = Request::post_json("https://api.acme.example/graphql".parse().expect("a URL"), &question);
    /// assert_eq!(request.body.expect("a body").expose(), r#"{"query":"{ viewer { login } }"}"#);
    /// ```
    pub fn post_json(url: Url, body: &Value) -> Self {
        let body = Some(Secret::new(body.to_string()));
        let request = Self { method: Method::Post, url, headers: Vec::new(), body };
        request.header("accept", JSON).header("content-type", JSON)
    }

    /// Shows a bearer token.
    ///
    /// ```
    /// use nora_provider_sdk::{Request, Secret};
    ///
    /// let token = Secret::new("t0ken".to_owned());
    /// let request = Request::get("https://api.acme.example/me".parse().expect("a URL")).bearer(&token);
    /// assert!(request.headers.iter().any(|(name, value)| name == "authorization" && value.expose() == "Bearer t0ken"));
    /// ```
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.header("authorization", format!("Bearer {}", token.expose()))
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

    /// The body as JSON, whatever its content type says; `None` if it is none.
    ///
    /// ```
    /// use nora_provider_sdk::Response;
    ///
    /// let response = Response { status: 200, headers: Vec::new(), body: r#"{"ok": true}"#.into() };
    /// assert_eq!(response.json().expect("JSON").pointer("/ok"), Some(&true.into()));
    /// ```
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
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
