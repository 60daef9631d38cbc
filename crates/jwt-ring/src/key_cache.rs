//! The key set at hand, and when to fetch a newer one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, Header};
use nora_access::ports::TokenError;
use nora_kernel::{BoxError, Clock, Timestamp};

use crate::jwks::{KeySet, Selection, VerificationKey};

const KEPT: Duration = Duration::from_mins(10);
const BETWEEN_FETCHES: Duration = Duration::from_secs(30);
const BETWEEN_FIRST_FETCHES: Duration = Duration::from_secs(5);
const LONGEST_FETCH: Duration = Duration::from_secs(5);

/// Fetches the issuer's key set.
#[async_trait]
pub trait JwksSource: Send + Sync {
    /// The set's document (RFC 7517), as it is now.
    ///
    /// # Errors
    ///
    /// Whatever kept it from being fetched. It is logged, so it must not name the URL's credentials.
    async fn fetch(&self) -> Result<Vec<u8>, BoxError>;
}

/// There is no key set, or none that could have the key.
#[derive(Debug, thiserror::Error)]
#[error("the key set could not be fetched")]
struct KeySetUnavailable;

#[derive(Debug, thiserror::Error)]
#[error("the key set took longer than {} s", LONGEST_FETCH.as_secs())]
struct FetchTimedOut;

/// The key set, fetched as needed.
pub(crate) struct KeyCache(Arc<Shared>);

struct Shared {
    source: Arc<dyn JwksSource>,
    clock: Arc<dyn Clock>,
    /// Held while fetching, so that those who wait find what the one before them fetched.
    turn: tokio::sync::Mutex<()>,
    state: RwLock<State>,
}

#[derive(Clone, Default)]
struct State {
    keys: Option<Keys>,
    last: Option<Attempt>,
}

#[derive(Clone)]
struct Keys {
    set: Arc<KeySet>,
    fetched_at: Timestamp,
}

#[derive(Clone, Copy)]
struct Attempt {
    at: Timestamp,
    failed: bool,
}

impl KeyCache {
    pub(crate) fn new(source: Arc<dyn JwksSource>, clock: Arc<dyn Clock>) -> Self {
        let (turn, state) = (tokio::sync::Mutex::default(), RwLock::default());
        Self(Arc::new(Shared { source, clock, turn, state }))
    }

    pub(crate) async fn key_for(&self, header: Header) -> Result<Arc<VerificationKey>, TokenError> {
        // Before anything is fetched: no set has a key for another algorithm.
        if !matches!(header.alg, Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA) {
            return Err(TokenError::Invalid);
        }
        let header = Arc::new(header);
        if self.0.state().wants_fetch(&header, self.0.clock.now()) {
            let (shared, header) = (Arc::clone(&self.0), Arc::clone(&header));
            // A task of its own: a client that hangs up must not cancel what others wait for. Should it be cancelled
            // nevertheless, the state says what is known.
            let _ = tokio::spawn(async move { shared.fetch(&header).await }).await;
        }
        self.0.state().select(&header)
    }
}

impl Shared {
    fn state(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn fetch(&self, header: &Header) {
        let _turn = self.turn.lock().await;
        if !self.state().wants_fetch(header, self.clock.now()) {
            return;
        }
        let fetched = self.fetch_set().await;
        if let Err(error) = &fetched {
            tracing::warn!(%error, "the JWT key set was not fetched; the one at hand stays in use");
        }
        let at = self.clock.now();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.last = Some(Attempt { at, failed: fetched.is_err() });
        if let Ok(set) = fetched {
            state.keys = Some(Keys { set: Arc::new(set), fetched_at: at });
        }
    }

    async fn fetch_set(&self) -> Result<KeySet, BoxError> {
        let document = tokio::time::timeout(LONGEST_FETCH, self.source.fetch()).await.map_err(|_| FetchTimedOut)??;
        Ok(KeySet::parse(&document)?)
    }
}

impl State {
    fn wants_fetch(&self, header: &Header, now: Timestamp) -> bool {
        let Some(keys) = &self.keys else {
            return self.may_fetch(now, BETWEEN_FIRST_FETCHES);
        };
        let stale = is_past(keys.fetched_at, KEPT, now);
        let unknown = || matches!(keys.set.select(header), Selection::Unknown);
        (stale || unknown()) && self.may_fetch(now, BETWEEN_FETCHES)
    }

    fn may_fetch(&self, now: Timestamp, pause: Duration) -> bool {
        self.last.is_none_or(|last| is_past(last.at, pause, now))
    }

    fn select(&self, header: &Header) -> Result<Arc<VerificationKey>, TokenError> {
        let failing = self.last.is_none_or(|last| last.failed);
        let selection = self.keys.as_ref().map_or(Selection::Unknown, |keys| keys.set.select(header));
        match selection {
            Selection::Key(key) => Ok(key),
            Selection::Unknown if failing => Err(TokenError::Unavailable(KeySetUnavailable.into())),
            Selection::Unknown | Selection::None => Err(TokenError::Invalid),
        }
    }
}

/// Whether `duration` has passed since `then`. A clock that was set back counts as if it had.
fn is_past(then: Timestamp, duration: Duration, now: Timestamp) -> bool {
    now < then || now.since(then) >= duration
}
