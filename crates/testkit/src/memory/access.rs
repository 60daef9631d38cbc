//! Keys, lines and answers in memory.

use async_trait::async_trait;
use nora_access::ports::{AuditStore, IdempotencyStore, KeyStore};
use nora_access::{ApiKey, PublicId, StoredKey};
use nora_kernel::audit::AuditLine;
use nora_kernel::{
    ApiKeyId, Cursor, Idempotency, IdempotencyKey, IdempotencyTaken, Page, PageRequest, Reach, Timestamp, Unavailable,
    Workspace,
};

use super::{InMemory, KeyRecord, State};

/// The page of `items`, in whatever order they come.
pub(super) fn page<T>(mut items: Vec<T>, request: PageRequest, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
    let place = |item: &T| {
        let Cursor { at, id } = cursor(item);
        (at, id)
    };
    items.sort_by_key(|item| std::cmp::Reverse(place(item)));
    if let Some(Cursor { at, id }) = request.after {
        items.retain(|item| place(item) < (at, id));
    }
    Page::cut(items, request.limit, cursor)
}

impl State {
    fn add_key(&mut self, key: &StoredKey, line: &AuditLine) {
        self.keys.push(KeyRecord { stored: key.clone(), revoked: false });
        self.lines.push(line.clone());
    }

    /// Writes the record of a request before anything else of its work.
    pub(super) fn remember(&mut self, record: &Idempotency, now: Timestamp) -> Result<(), IdempotencyTaken> {
        let same = |other: &Idempotency| {
            (&other.principal, &other.route, &other.key) == (&record.principal, &record.route, &record.key)
        };
        self.answers.retain(|other| other.expires_at > now || !same(other));
        if self.answers.iter().any(same) {
            return Err(IdempotencyTaken);
        }
        self.answers.push(record.clone());
        Ok(())
    }

    fn valid_keys(&self) -> impl Iterator<Item = &StoredKey> {
        self.keys.iter().filter(|record| !record.revoked).map(|record| &record.stored)
    }
}

#[async_trait]
impl KeyStore for InMemory {
    async fn insert(&self, key: &StoredKey, line: &AuditLine) -> Result<(), Unavailable> {
        self.write(|state, _| state.add_key(key, line));
        Ok(())
    }

    async fn insert_first(&self, key: &StoredKey, line: &AuditLine) -> Result<bool, Unavailable> {
        Ok(self.write(|state, _| {
            let first = state.keys.is_empty();
            if first {
                state.add_key(key, line);
            }
            first
        }))
    }

    async fn find_by_public_id(&self, id: &PublicId) -> Result<Option<StoredKey>, Unavailable> {
        Ok(self.read(|state| state.valid_keys().find(|stored| stored.key.public_id == *id).cloned()))
    }

    async fn find(&self, reach: &Reach, id: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        let is_it = |key: &&ApiKey| key.id == id && reach.includes(&key.workspace);
        Ok(self.read(|state| state.valid_keys().map(|stored| &stored.key).find(is_it).cloned()))
    }

    async fn list(&self, workspace: &Workspace, request: PageRequest) -> Result<Page<ApiKey>, Unavailable> {
        let keys = self.read(|state| state.valid_keys().map(|stored| stored.key.clone()).collect::<Vec<_>>());
        let own = keys.into_iter().filter(|key| key.workspace == *workspace).collect();
        Ok(page(own, request, ApiKey::cursor))
    }

    async fn revoke(&self, reach: &Reach, id: ApiKeyId, line: &AuditLine) -> Result<bool, Unavailable> {
        Ok(self.write(|state, _| {
            let found = state.keys.iter_mut().find(|record| {
                let key = &record.stored.key;
                !record.revoked && key.id == id && reach.includes(&key.workspace)
            });
            let Some(record) = found else { return false };
            record.revoked = true;
            state.lines.push(line.clone());
            state.news.revoked.push(id);
            true
        }))
    }

    async fn record_usage(&self, usage: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable> {
        self.write(|state, _| {
            for (id, at) in usage {
                let keys = state.keys.iter_mut().map(|record| &mut record.stored.key);
                keys.filter(|key| key.id == *id).for_each(|key| key.last_used_at = key.last_used_at.max(Some(*at)));
            }
        });
        Ok(())
    }

    async fn revocation(&self) -> Option<ApiKeyId> {
        self.revocations.lock().await.recv().await.ok()
    }
}

#[async_trait]
impl AuditStore for InMemory {
    async fn list(&self, workspace: &Workspace, request: PageRequest) -> Result<Page<AuditLine>, Unavailable> {
        let is_own = |line: &&AuditLine| line.workspace == *workspace;
        let lines = self.read(|state| state.lines.iter().filter(is_own).cloned().collect());
        Ok(page(lines, request, |line: &AuditLine| Cursor { at: line.at, id: line.id.as_uuid() }))
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        Ok(self.write(|state, _| {
            let mut pruned = 0;
            state.lines.retain(|line| {
                let goes = line.at < before && pruned < u64::from(limit);
                pruned += u64::from(goes);
                !goes
            });
            pruned
        }))
    }
}

#[async_trait]
impl IdempotencyStore for InMemory {
    async fn find(
        &self,
        principal: &str,
        route: &str,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> Result<Option<Idempotency>, Unavailable> {
        let is_it = |record: &&Idempotency| {
            (record.principal.as_str(), record.route.as_str(), &record.key) == (principal, route, key)
                && record.expires_at > now
        };
        Ok(self.read(|state| state.answers.iter().find(is_it).cloned()))
    }

    async fn prune(&self, now: Timestamp, limit: u32) -> Result<u64, Unavailable> {
        Ok(self.write(|state, _| {
            let mut pruned = 0;
            state.answers.retain(|record| {
                let goes = record.expires_at <= now && pruned < u64::from(limit);
                pruned += u64::from(goes);
                !goes
            });
            pruned
        }))
    }
}
