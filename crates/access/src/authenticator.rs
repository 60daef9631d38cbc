//! From an `Authorization` header to a principal.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nora_kernel::audit::Actor;
use nora_kernel::{ApiKeyId, Clock, Digest, Scopes, Timestamp, Unavailable, Workspace};
use subtle::ConstantTimeEq as _;

use crate::ports::{KeyStore, TokenError, TokenVerifier};
use crate::{ApiKey, KeyText, PublicId, StoredKey};

/// How long a verified key is believed without asking the store. A revocation drops it at once.
const BELIEVED: Duration = Duration::from_secs(1);
/// How many verified keys are remembered; beyond it the memory starts afresh.
const REMEMBERED: usize = 10_000;
/// A key's last use is noted no more often than this.
const USAGE_GRAIN: Duration = Duration::from_mins(1);

/// Who a token belongs to and what it may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Who the audit trail names.
    pub actor: Actor,
    /// Whose objects exist for it.
    pub workspace: Workspace,
    /// What it may do.
    pub scopes: Scopes,
}

/// Why nobody was authenticated.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// The token is unknown, revoked, expired or malformed; which of them is nobody's business.
    #[error("the token is not valid")]
    Invalid,
    /// It could not be verified now.
    #[error("the token cannot be verified now")]
    Unavailable(#[source] Unavailable),
}

/// Authenticates bearer tokens: API keys, and JWTs where a verifier is configured.
pub struct Authenticator {
    keys: Arc<dyn KeyStore>,
    tokens: Option<Arc<dyn TokenVerifier>>,
    clock: Arc<dyn Clock>,
    digest: Arc<dyn Digest>,
    verified: Mutex<HashMap<PublicId, Verified>>,
    /// Counts revocations, so that a key loaded before one is not remembered after it.
    revocations: AtomicU64,
    usage: Mutex<HashMap<ApiKeyId, Usage>>,
}

/// What every request of a key is checked against. It is copied on each of them, so it holds no text of its own.
#[derive(Clone)]
struct Verified {
    key: ApiKeyId,
    hash: [u8; 32],
    expires_at: Option<Timestamp>,
    principal: Arc<Principal>,
    loaded: Timestamp,
}

struct Usage {
    noted: Timestamp,
    pending: bool,
}

impl Authenticator {
    /// Joins the parts. Without `tokens` every JWT is invalid.
    pub fn new(
        keys: Arc<dyn KeyStore>,
        tokens: Option<Arc<dyn TokenVerifier>>,
        clock: Arc<dyn Clock>,
        digest: Arc<dyn Digest>,
    ) -> Self {
        Self {
            keys,
            tokens,
            clock,
            digest,
            verified: Mutex::default(),
            revocations: AtomicU64::new(0),
            usage: Mutex::default(),
        }
    }

    /// Who `token` belongs to.
    pub async fn authenticate(&self, token: &str) -> Result<Arc<Principal>, AuthenticationError> {
        match token.parse::<KeyText>() {
            Ok(key) => self.by_key(&key).await,
            Err(_) => self.by_token(token).await,
        }
    }

    /// Drops what is remembered about a key, or about every key.
    pub fn forget(&self, key: Option<ApiKeyId>) {
        self.revocations.fetch_add(1, Ordering::SeqCst);
        lock(&self.verified).retain(|_, verified| key.is_some_and(|key| verified.key != key));
    }

    /// Writes down which keys were used since the last call. What the store does not take is written next time.
    pub async fn flush_usage(&self) -> Result<(), Unavailable> {
        let pending = self.take_usage();
        if pending.is_empty() {
            return Ok(());
        }
        let written = self.keys.record_usage(&pending).await;
        if written.is_err() {
            self.give_back_usage(pending);
        }
        written
    }

    async fn by_key(&self, key: &KeyText) -> Result<Arc<Principal>, AuthenticationError> {
        let hash = key.hash(self.digest.as_ref());
        let now = self.clock.now();
        let verified = match self.remembered(key.id(), now) {
            Some(verified) => verified,
            None => self.load(key.id(), now).await?,
        };
        let expired = verified.expires_at.is_some_and(|expiry| expiry <= now);
        let matches: bool = verified.hash.ct_eq(&hash).into();
        if !matches || expired {
            return Err(AuthenticationError::Invalid);
        }
        self.note_usage(verified.key, now);
        Ok(verified.principal)
    }

    fn remembered(&self, id: &PublicId, now: Timestamp) -> Option<Verified> {
        // A clock that was set back would make a key believed for as long.
        let fresh = |loaded: Timestamp| loaded <= now && now.since(loaded) < BELIEVED;
        lock(&self.verified).get(id).filter(|verified| fresh(verified.loaded)).cloned()
    }

    async fn load(&self, id: &PublicId, now: Timestamp) -> Result<Verified, AuthenticationError> {
        let revocations = self.revocations.load(Ordering::SeqCst);
        let found = self.keys.find_by_public_id(id).await.map_err(AuthenticationError::Unavailable)?;
        let StoredKey { key, hash } = found.ok_or(AuthenticationError::Invalid)?;
        let ApiKey { id: key, workspace, scopes, expires_at, .. } = key;
        let principal = Arc::new(Principal { actor: Actor::ApiKey(key), workspace, scopes });
        let verified = Verified { key, hash, expires_at, principal, loaded: now };
        self.remember(id, &verified, revocations);
        Ok(verified)
    }

    fn remember(&self, id: &PublicId, verified: &Verified, revocations: u64) {
        let mut remembered = lock(&self.verified);
        if self.revocations.load(Ordering::SeqCst) != revocations {
            return;
        }
        if remembered.len() >= REMEMBERED {
            remembered.clear();
        }
        remembered.insert(id.clone(), verified.clone());
    }

    async fn by_token(&self, token: &str) -> Result<Arc<Principal>, AuthenticationError> {
        let verifier = self.tokens.as_ref().ok_or(AuthenticationError::Invalid)?;
        let claims = verifier.verify(token).await.map_err(|error| match error {
            TokenError::Invalid => AuthenticationError::Invalid,
            TokenError::Unavailable(source) => AuthenticationError::Unavailable(Unavailable::transient(source)),
        })?;
        Ok(Arc::new(Principal {
            actor: Actor::Jwt(claims.subject),
            workspace: claims.workspace,
            scopes: claims.scopes.without(nora_kernel::Scope::Admin),
        }))
    }

    fn note_usage(&self, key: ApiKeyId, now: Timestamp) {
        let mut usage = lock(&self.usage);
        let due = usage.get(&key).is_none_or(|usage| now.since(usage.noted) >= USAGE_GRAIN);
        if due {
            usage.insert(key, Usage { noted: now, pending: true });
        }
    }

    fn take_usage(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let now = self.clock.now();
        let mut usage = lock(&self.usage);
        let pending = usage.iter().filter(|(_, usage)| usage.pending).map(|(key, usage)| (*key, usage.noted)).collect();
        usage.retain(|_, usage| now.since(usage.noted) < USAGE_GRAIN);
        usage.values_mut().for_each(|usage| usage.pending = false);
        pending
    }

    fn give_back_usage(&self, pending: Vec<(ApiKeyId, Timestamp)>) {
        let mut usage = lock(&self.usage);
        for (key, noted) in pending {
            usage.entry(key).or_insert(Usage { noted, pending: true }).pending = true;
        }
    }
}

/// A panic elsewhere cannot leave these maps half changed, so a poisoned lock is as good as a sound one.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
