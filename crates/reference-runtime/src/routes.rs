//! The runtime's HTTP side.

mod answer;
mod body;
mod inspect;
mod push;

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, web};
use nora_kernel::Secret;
use subtle::ConstantTimeEq as _;

use crate::{Handle, digest};

pub(crate) struct Shared {
    handle: Handle,
    token: [u8; 32],
}

/// What a request says about who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bearer {
    Absent,
    Wrong,
    Right,
}

impl Shared {
    pub(crate) fn new(handle: Handle, token: &Secret) -> Self {
        Self { handle, token: digest::sha256(token.expose().as_bytes()) }
    }

    /// Digests are compared, in constant time, so that neither the token's text nor its length shows.
    fn bearer(&self, request: &HttpRequest) -> Bearer {
        let Some(header) = request.headers().get(AUTHORIZATION) else { return Bearer::Absent };
        let given = header.as_bytes().strip_prefix(b"Bearer ").unwrap_or_default();
        if bool::from(digest::sha256(given).ct_eq(&self.token)) { Bearer::Right } else { Bearer::Wrong }
    }
}

pub(crate) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/integrations/sync", web::post().to(push::sync))
        .route("/channels/receive", web::post().to(push::receive))
        .route("/deployment", web::post().to(push::deploy))
        .route("/health", web::get().to(inspect::health))
        .route("/env", web::get().to(inspect::env))
        .route("/integrations", web::get().to(inspect::integrations))
        .route("/events", web::get().to(inspect::events))
        .route("/mcp", web::get().to(inspect::mcp));
}
