//! Reading the body of a webhook: byte for byte, bounded in size, in time, and in what all of them hold together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use crate::Limits;
use crate::problem::{ErrorCode, Problem};
use crate::request::{announced_length, is_identity};

/// Room for a body whose length is announced; the rest of a larger one is asked for as it comes.
const FIRST_ROOM: usize = 64 * 1024;

/// How many bytes of webhooks are held at the moment.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: Arc<AtomicUsize>,
    most: usize,
}

/// Bytes that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    all: Arc<AtomicUsize>,
    own: usize,
    most: usize,
}

impl Held {
    pub(crate) fn new(most: usize) -> Self {
        Self { bytes: Arc::default(), most }
    }

    fn share(&self) -> Share {
        Share { all: Arc::clone(&self.bytes), own: 0, most: self.most }
    }
}

impl Share {
    fn grow(&mut self, by: usize) -> Result<(), Problem> {
        self.own = self.own.saturating_add(by);
        if self.all.fetch_add(by, Ordering::Relaxed).saturating_add(by) > self.most {
            return Err(busy());
        }
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::Relaxed);
    }
}

/// The answer while more comes in than can be kept.
pub(crate) fn busy() -> Problem {
    Problem::new(ErrorCode::Unavailable, "more webhooks come in than can be kept now")
        .after(std::time::Duration::from_secs(1))
}

/// Reads the whole body, as it was sent, if it has at most `limit` bytes.
pub(crate) async fn read(
    headers: &HeaderMap,
    payload: Payload,
    limit: usize,
    held: &Held,
    limits: &Limits,
) -> Result<(Bytes, Share), Problem> {
    if !is_identity(headers) {
        let detail = "send the body without Content-Encoding";
        return Err(Problem::new(ErrorCode::ContentEncodingUnsupported, detail));
    }
    let length = announced_length(headers).unwrap_or(0);
    if length > limit {
        return Err(too_large());
    }
    match tokio::time::timeout(limits.body_deadline, collect(payload, length, limit, held)).await {
        Ok(read) => read,
        Err(_) => Err(Problem::new(ErrorCode::BodyTimeout, "the body did not arrive in time")),
    }
}

async fn collect(mut payload: Payload, length: usize, limit: usize, held: &Held) -> Result<(Bytes, Share), Problem> {
    let mut share = held.share();
    let mut body = BytesMut::with_capacity(length.min(FIRST_ROOM));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(ErrorCode::BodyIncomplete, "the body did not arrive whole"))?;
        if body.len().saturating_add(chunk.len()) > limit {
            return Err(too_large());
        }
        share.grow(chunk.len())?;
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), share))
}

pub(crate) fn too_large() -> Problem {
    Problem::new(ErrorCode::BodyTooLarge, "the body is larger than this URL takes")
}
