//! What this crate needs from the outside.

use async_trait::async_trait;
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    ApiKeyId, BoxError, Idempotency, IdempotencyKey, Page, PageRequest, Reach, Scopes, Timestamp, Unavailable,
    Workspace,
};

use crate::{ApiKey, PublicId, StoredKey};

/// Keeps API keys.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Adds a key and its audit line in one transaction.
    async fn insert(&self, key: &StoredKey, line: &AuditLine) -> Result<(), Unavailable>;

    /// Adds a key, and its audit line, only if there is no key at all; says whether it did.
    ///
    /// Of several servers that start at once exactly one is told `true`.
    async fn insert_first(&self, key: &StoredKey, line: &AuditLine) -> Result<bool, Unavailable>;

    /// The key with this public id, unless it was revoked. An expired key is returned.
    async fn find_by_public_id(&self, id: &PublicId) -> Result<Option<StoredKey>, Unavailable>;

    /// The key with this id, if it lies within `reach` and was not revoked.
    async fn find(&self, reach: &Reach, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable>;

    /// A workspace's keys that were not revoked, newest first.
    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<ApiKey>, Unavailable>;

    /// Revokes a key and writes the audit line in one transaction; says whether there was one to revoke.
    ///
    /// After it returns, [`find_by_public_id`](Self::find_by_public_id) on any server finds nothing, and every server's
    /// [`revocation`](Self::revocation) reports the key.
    async fn revoke(&self, reach: &Reach, id: ApiKeyId, line: &AuditLine) -> Result<bool, Unavailable>;

    /// Records when keys were last used. An older time never replaces a newer one; unknown keys are ignored.
    async fn record_usage(&self, usage: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable>;

    /// Waits until a key is revoked anywhere and returns it; `None` means that any key may have been.
    async fn revocation(&self) -> Option<ApiKeyId>;
}

/// What a verified JWT says about its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenClaims {
    /// The subject.
    pub subject: String,
    /// The workspace it may act in.
    pub workspace: Workspace,
    /// What it may do. Never `admin`.
    pub scopes: Scopes,
}

/// Why a JWT was not verified.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is malformed, expired, not for us, or not signed by whom it should be.
    #[error("the token is not valid")]
    Invalid,
    /// The keys that would verify it could not be had.
    #[error("the token cannot be verified now")]
    Unavailable(#[source] BoxError),
}

/// Verifies JWTs.
///
/// The algorithm comes from this installation's settings and never from the token. Expiry, issuer and audience are
/// checked, and `admin` is never granted.
#[async_trait]
pub trait TokenVerifier: Send + Sync {
    /// The claims of `token`, if it verifies.
    async fn verify(&self, token: &str) -> Result<TokenClaims, TokenError>;
}

/// Reads the audit trail and deletes its oldest lines. Lines are written by the transactions they are about.
#[async_trait]
pub trait AuditStore: Send + Sync {
    /// A workspace's lines, newest first.
    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<AuditLine>, Unavailable>;

    /// Deletes at most `limit` lines from before `before`, whatever their workspace; says how many it deleted.
    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable>;
}

/// Finds the answers of requests that were sent before. They are written by the transactions of the work.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// The record of an earlier request, unless it has expired at `now`.
    async fn find(
        &self,
        principal: &str,
        route: &str,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Idempotency>, Unavailable>;

    /// Deletes at most `limit` records that have expired at `now`; says how many it deleted.
    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, Unavailable>;
}
