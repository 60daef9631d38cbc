//! A store that counts, and everything around it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use nora_access::ports::{KeyStore, TokenVerifier};
use nora_access::{ApiKey, Authenticator, KeyText, Keys, PublicId, StoredKey};
use nora_kernel::audit::{Actor, AuditLine};
use nora_kernel::{
    ApiKeyId, BoxError, Caller, Entropy, Page, PageRequest, Reach, RequestId, Scope, Scopes, Timestamp, Unavailable,
    Workspace,
};
use nora_testkit::samples::named;
use nora_testkit::{ManualClock, PlainDigest, Samples, SequentialBytes, SequentialIds};
use tokio::sync::Notify;
use uuid::Uuid;

/// Keys in memory, with a count of look-ups and a log of changes.
#[derive(Default)]
pub(crate) struct Store {
    pub(crate) keys: Mutex<Vec<StoredKey>>,
    pub(crate) lines: Mutex<Vec<AuditLine>>,
    pub(crate) usage: Mutex<Vec<Vec<(ApiKeyId, Timestamp)>>>,
    pub(crate) lookups: AtomicUsize,
    /// Every call fails while this is set.
    pub(crate) down: AtomicBool,
    /// A change is made although its call fails, as if only the answer were lost.
    pub(crate) answers_get_lost: AtomicBool,
    /// A look-up that has read waits here before it answers, if this is set.
    pub(crate) held_back: AtomicBool,
    pub(crate) has_read: Notify,
    pub(crate) may_answer: Notify,
}

impl Store {
    fn up(&self) -> Result<(), Unavailable> {
        if self.down.load(Ordering::SeqCst) { Err(Unavailable::transient("down")) } else { Ok(()) }
    }

    fn answer<T>(&self, answer: T) -> Result<T, Unavailable> {
        if self.answers_get_lost.load(Ordering::SeqCst) { Err(Unavailable::transient("lost")) } else { Ok(answer) }
    }

    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    pub(crate) fn stored(&self) -> Vec<ApiKey> {
        self.keys.lock().unwrap().iter().map(|stored| stored.key.clone()).collect()
    }

    pub(crate) fn lines(&self) -> Vec<AuditLine> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn drop_key(&self, id: ApiKeyId) -> bool {
        let mut keys = self.keys.lock().unwrap();
        let before = keys.len();
        keys.retain(|stored| stored.key.id != id);
        keys.len() < before
    }
}

#[async_trait]
impl KeyStore for Store {
    async fn insert(&self, key: &StoredKey, line: &AuditLine) -> Result<(), Unavailable> {
        self.up()?;
        self.keys.lock().unwrap().push(key.clone());
        self.lines.lock().unwrap().push(line.clone());
        Ok(())
    }

    async fn insert_first(&self, key: &StoredKey, line: &AuditLine) -> Result<bool, Unavailable> {
        self.up()?;
        let is_first = self.keys.lock().unwrap().is_empty();
        if is_first {
            self.insert(key, line).await?;
        }
        Ok(is_first)
    }

    async fn find_by_public_id(&self, id: &PublicId) -> Result<Option<StoredKey>, Unavailable> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        self.up()?;
        let found = self.keys.lock().unwrap().iter().find(|stored| stored.key.public_id == *id).cloned();
        if self.held_back.load(Ordering::SeqCst) {
            self.has_read.notify_one();
            self.may_answer.notified().await;
        }
        Ok(found)
    }

    async fn find(&self, reach: &Reach, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        self.up()?;
        Ok(self.stored().into_iter().find(|key| key.id == id && reach.includes(&key.workspace)))
    }

    async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<ApiKey>, Unavailable> {
        self.up()?;
        let items = self.stored().into_iter().filter(|key| key.workspace == *workspace).collect();
        Ok(Page::cut(items, page.limit, ApiKey::cursor))
    }

    async fn revoke(&self, reach: &Reach, id: ApiKeyId, line: &AuditLine) -> Result<bool, Unavailable> {
        let found = self.find(reach, id).await?.is_some();
        if found && self.drop_key(id) {
            self.lines.lock().unwrap().push(line.clone());
        }
        self.answer(found)
    }

    async fn record_usage(&self, usage: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable> {
        self.up()?;
        self.usage.lock().unwrap().push(usage.to_vec());
        Ok(())
    }

    async fn revocation(&self) -> Option<ApiKeyId> {
        std::future::pending().await
    }
}

/// "Randomness" that is told what to say: one byte, repeated, for each buffer.
pub(crate) struct Scripted(Mutex<VecDeque<u8>>);

impl Scripted {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Mutex::new(bytes.iter().copied().collect()))
    }
}

impl Entropy for Scripted {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError> {
        buffer.fill(self.0.lock().unwrap().pop_front().ok_or("nothing left to say")?);
        Ok(())
    }
}

/// A key whose public part follows from `id` and whose secret part follows from `secret`.
pub(crate) fn key_text(id: u8, secret: u8) -> KeyText {
    KeyText::generate(&Scripted::of(&[id, secret])).unwrap()
}

/// A server's access, over one store.
pub(crate) struct Access {
    pub(crate) store: Arc<Store>,
    pub(crate) clock: ManualClock,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) samples: Samples,
}

impl Access {
    pub(crate) fn new() -> Self {
        Self::with(None)
    }

    pub(crate) fn with(tokens: Option<Arc<dyn TokenVerifier>>) -> Self {
        let (store, clock) = (Arc::new(Store::default()), ManualClock::new());
        let keys: Arc<Store> = Arc::clone(&store);
        let authenticator = Authenticator::new(keys, tokens, Arc::new(clock.clone()), Arc::new(PlainDigest));
        Self { store, samples: Samples::at(clock.clone()), clock, authenticator: Arc::new(authenticator) }
    }

    /// Stores a key with this text, changed by `change`, and returns its record.
    pub(crate) fn hold(&self, text: &KeyText, change: impl FnOnce(&mut ApiKey)) -> ApiKey {
        let mut stored = self.samples.key();
        stored.key.public_id = text.id().clone();
        stored.hash = text.hash(&PlainDigest);
        change(&mut stored.key);
        self.store.keys.lock().unwrap().push(stored.clone());
        stored.key
    }

    pub(crate) fn keys(&self) -> Keys {
        self.keys_from(Arc::new(SequentialBytes::new()))
    }

    pub(crate) fn keys_from(&self, entropy: Arc<dyn Entropy>) -> Keys {
        Keys {
            store: Arc::<Store>::clone(&self.store),
            authenticator: Arc::clone(&self.authenticator),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(SequentialIds::new()),
            entropy,
            digest: Arc::new(PlainDigest),
        }
    }
}

/// A caller of workspace `alpha`.
pub(crate) fn caller(scopes: &[Scope]) -> Caller {
    Caller {
        actor: Actor::ApiKey(ApiKeyId::from_uuid(Uuid::from_u128(1))),
        workspace: named("alpha"),
        scopes: scopes_of(scopes),
        request: RequestId::from_uuid(Uuid::from_u128(2)),
    }
}

pub(crate) fn scopes_of(scopes: &[Scope]) -> Scopes {
    scopes.iter().copied().collect()
}
