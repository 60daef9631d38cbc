//! Reading bodies ourselves: the server framework bounds neither their time nor their encoding.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, TRANSFER_ENCODING,
};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt as _;
use zeroize::Zeroizing;

use super::json::{self, Malformed};
use super::{FromMembers, Members};
use crate::Limits;
use crate::problem::{ErrorCode, Place, Problem};

/// A body that has not been read. Taking it is not reading it: that waits until the handler knows who sent it.
pub(crate) struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Body {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// Reads the whole body, if it is JSON and not too much.
    pub(crate) async fn read(self, limits: &Limits) -> Result<RawBody, Problem> {
        let length = self.check_head(limits.body)?;
        let whole = collect(self.payload, length, limits.body);
        match tokio::time::timeout(limits.body_deadline, whole).await {
            Ok(bytes) => Ok(RawBody { bytes: bytes?, depth: limits.json_depth }),
            Err(_) => Err(Problem::new(ErrorCode::BodyTimeout, "the body did not arrive in time")),
        }
    }

    /// Refuses what can be refused before a byte is read; returns the length the sender announces.
    fn check_head(&self, limit: usize) -> Result<Option<usize>, Problem> {
        let headers = self.request.headers();
        let length = announced_length(headers);
        let chunked = headers.contains_key(TRANSFER_ENCODING);
        if !chunked && length.unwrap_or(0) == 0 {
            return Err(empty());
        }
        if !is_identity(headers) {
            let detail = "send the body without Content-Encoding";
            return Err(Problem::new(ErrorCode::ContentEncodingUnsupported, detail));
        }
        if !is_json(headers) {
            let detail = "send the body as application/json, in UTF-8";
            return Err(Problem::new(ErrorCode::ContentTypeUnsupported, detail));
        }
        match length {
            Some(length) if length > limit => Err(too_large(limit)),
            length => Ok(length),
        }
    }
}

/// A whole body. Its memory is overwritten when it is dropped: it may hold credentials.
pub(crate) struct RawBody {
    bytes: Zeroizing<Vec<u8>>,
    depth: usize,
}

impl RawBody {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the body as an object.
    pub(crate) fn parse<T: FromMembers>(&self) -> Result<T, Problem> {
        Members::read(json::parse(&self.bytes, self.depth).map_err(|malformed| refusal(malformed, self.depth))?)
    }
}

/// Room for the whole body is made at once, because a buffer that grows leaves copies of credentials behind.
async fn collect(mut payload: Payload, length: Option<usize>, limit: usize) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.unwrap_or(limit)));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(ErrorCode::BodyIncomplete, "the body did not arrive whole"))?;
        if bytes.len().saturating_add(chunk.len()) > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.is_empty() { Err(empty()) } else { Ok(bytes) }
}

pub(crate) fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

pub(crate) fn is_identity(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).all(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity"))
}

fn is_json(headers: &HeaderMap) -> bool {
    single(headers, CONTENT_TYPE).is_some_and(|value| {
        let mut parts = value.split(';').map(str::trim);
        let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
        json && parts.all(|parameter| !is_other_charset(parameter))
    })
}

fn is_other_charset(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    name.trim().eq_ignore_ascii_case("charset") && !value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
}

fn single(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name);
    let value = values.next().filter(|_| values.next().is_none())?;
    value.to_str().ok()
}

fn empty() -> Problem {
    Problem::new(ErrorCode::JsonMalformed, "the body is empty")
}

fn too_large(limit: usize) -> Problem {
    Problem::new(ErrorCode::BodyTooLarge, format!("a body may hold {limit} bytes"))
}

fn refusal(malformed: Malformed, depth: usize) -> Problem {
    match malformed {
        Malformed::Syntax { line, column } => Problem::new(
            ErrorCode::JsonMalformed,
            format!("the body is not valid JSON at line {line}, column {column}"),
        ),
        Malformed::DuplicateKey { pointer } => {
            let places = vec![Place::pointer(pointer, "is given more than once")];
            Problem::at(ErrorCode::JsonMalformed, "an object of the body has a key twice", places)
        }
        Malformed::TooDeep => {
            Problem::new(ErrorCode::JsonMalformed, format!("the body is nested more than {depth} levels deep"))
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn only_json_in_utf_8() {
        for accepted in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json;charset=\"utf-8\"; x=y"]
        {
            assert!(is_json(&headers(&CONTENT_TYPE, &[accepted])), "{accepted}");
        }
        for refused in ["text/plain", "application/json; charset=utf-16", "application/jsonx", "application/json+x", ""]
        {
            assert!(!is_json(&headers(&CONTENT_TYPE, &[refused])), "{refused}");
        }
        assert!(!is_json(&HeaderMap::new()));
        assert!(!is_json(&headers(&CONTENT_TYPE, &["application/json", "application/json"])));
    }

    #[test]
    fn only_the_identity_encoding() {
        assert!(is_identity(&HeaderMap::new()));
        assert!(is_identity(&headers(&CONTENT_ENCODING, &["identity"])));
        for refused in ["gzip", "identity, gzip", "br", ""] {
            assert!(!is_identity(&headers(&CONTENT_ENCODING, &[refused])), "{refused}");
        }
        assert!(!is_identity(&headers(&CONTENT_ENCODING, &["identity", "gzip"])));
    }
}
