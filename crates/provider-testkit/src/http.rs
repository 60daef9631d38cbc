//! As much of an HTTP/1.1 client as a test of providers needs.

use nora_provider_sdk::{Method, NetworkError, Request, Response, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The largest head of an answer, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// Sends `request` over `stream` and reads the whole answer, of at most `cap` bytes of body.
pub(crate) async fn exchange(
    stream: &mut Box<dyn Stream>,
    request: &Request,
    cap: usize,
) -> Result<Response, NetworkError> {
    stream.write_all(&written(request)).await.map_err(|error| broken(&error))?;
    stream.flush().await.map_err(|error| broken(&error))?;
    let (head, rest) = read_head(stream).await?;
    let (status, headers) = parse_head(&head).ok_or(NetworkError::Protocol)?;
    let mut response = Response { status, headers, body: bytes::Bytes::new() };
    if request.method != Method::Head && !matches!(status, 204 | 304) {
        response.body = read_body(stream, &response, rest, cap).await?.into();
    }
    Ok(response)
}

fn written(request: &Request) -> Vec<u8> {
    let url = &request.url;
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let mut head =
        format!("{} {target} HTTP/1.1\r\nhost: {host}{port}\r\nconnection: close\r\n", request.method.as_str());
    for (name, value) in &request.headers {
        head = format!("{head}{name}: {}\r\n", value.expose());
    }
    let body = request.body.as_ref().map(|body| body.expose().as_bytes());
    if body.is_some() || request.method == Method::Post {
        head = format!("{head}content-length: {}\r\n", body.map_or(0, <[u8]>::len));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

async fn read_head(stream: &mut Box<dyn Stream>) -> Result<(Vec<u8>, Vec<u8>), NetworkError> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((bytes, rest));
        }
        if bytes.len() > LARGEST_HEAD {
            return Err(NetworkError::Protocol);
        }
        let read = stream.read_buf(&mut bytes).await.map_err(|error| broken(&error))?;
        if read == 0 {
            return Err(if bytes.is_empty() { NetworkError::Refused } else { NetworkError::Protocol });
        }
    }
}

fn parse_head(head: &[u8]) -> Option<(u16, Vec<(String, String)>)> {
    let text = std::str::from_utf8(head).ok()?;
    let mut lines = text.trim_end().split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.split(' ').next()?.parse().ok()?;
    let headers = lines.map(|line| line.split_once(':')).collect::<Option<Vec<_>>>()?;
    let headers = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
    Some((status, headers.collect()))
}

async fn read_body(
    stream: &mut Box<dyn Stream>,
    response: &Response,
    rest: Vec<u8>,
    cap: usize,
) -> Result<Vec<u8>, NetworkError> {
    let length = response.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > cap) {
        return Err(NetworkError::TooLarge);
    }
    let mut body = rest;
    while length.is_none_or(|length| body.len() < length) {
        let read = stream.read_buf(&mut body).await.map_err(|error| broken(&error))?;
        if body.len() > cap {
            return Err(NetworkError::TooLarge);
        }
        if read == 0 {
            break;
        }
    }
    if length.is_some_and(|length| body.len() < length) { Err(NetworkError::Refused) } else { Ok(body) }
}

/// What a broken stream means.
pub(crate) fn broken(error: &std::io::Error) -> NetworkError {
    match error.kind() {
        std::io::ErrorKind::TimedOut => NetworkError::Timeout,
        std::io::ErrorKind::InvalidData => NetworkError::Tls,
        _ => NetworkError::Refused,
    }
}
