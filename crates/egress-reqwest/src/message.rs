//! The sdk's requests and answers as the HTTP library's.

use bytes::Bytes;
use nora_kernel::Secret;
use nora_net_guard::Answer;
use nora_provider_sdk::{Method, NetworkError, Request, Response};
use reqwest::header::{HeaderName, HeaderValue};

/// # Errors
///
/// [`NetworkError::Protocol`] if a header cannot be sent: its name is no name, or its value would break the line.
pub(crate) fn encode(request: Request) -> Result<reqwest::Request, NetworkError> {
    let Request { method, url, headers, body } = request;
    let method = match method {
        Method::Get => reqwest::Method::GET,
        Method::Head => reqwest::Method::HEAD,
        Method::Post => reqwest::Method::POST,
    };
    let mut encoded = reqwest::Request::new(method, url);
    for (name, value) in &headers {
        let name: HeaderName = name.parse().map_err(|_| NetworkError::Protocol)?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| NetworkError::Protocol)?;
        value.set_sensitive(true);
        encoded.headers_mut().append(name, value);
    }
    *encoded.body_mut() = body.map(|body| Bytes::from_owner(SecretBytes(body)).into());
    Ok(encoded)
}

pub(crate) fn decode(answer: Answer) -> Response {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        value.to_str().ok().map(|value| (name.as_str().to_owned(), value.to_owned()))
    };
    let headers = answer.headers.iter().filter_map(text).collect();
    Response { status: answer.status.as_u16(), headers, body: answer.body }
}

/// Lends a secret to the HTTP library without a copy; its memory is overwritten when the library is done with it.
struct SecretBytes(Secret);

impl AsRef<[u8]> for SecretBytes {
    fn as_ref(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}
