//! Making, listing and revoking API keys.

use std::sync::Arc;

use nora_kernel::audit::{Action, Actor, AuditLine, Resource, ResourceKind};
use nora_kernel::{
    ApiKeyId, BoxError, Caller, Clock, Digest, Entropy, IdSource, Page, PageRequest, Scope, Scopes, Secret, Timestamp,
    Unavailable, Workspace, WorkspaceForbidden,
};

use crate::ports::KeyStore;
use crate::{ApiKey, Authenticator, KeyName, KeyText, StoredKey};

/// A request for a new key.
#[derive(Debug)]
pub struct CreateKey {
    /// What a person calls it.
    pub name: KeyName,
    /// What it may do.
    pub scopes: Scopes,
    /// Where it may do it; the caller's workspace if `None`.
    pub workspace: Option<Workspace>,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// A new key, shown this once.
#[derive(Debug)]
pub struct CreatedKey {
    /// The record.
    pub record: ApiKey,
    /// The key itself.
    pub key: Secret,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateKeyError {
    /// A key without a scope could do nothing.
    #[error("scopes must name at least one scope")]
    NoScopes,
    /// The maker does not hold this scope itself.
    #[error("a key may carry only scopes its maker holds; {0} is not among them")]
    ScopeBeyondMaker(Scope),
    /// The time has passed already.
    #[error("expires_at must lie in the future")]
    ExpiresInThePast,
    /// Another workspace was named.
    #[error(transparent)]
    Workspace(#[from] WorkspaceForbidden),
    /// The source of randomness failed.
    #[error("no key could be made")]
    Entropy(#[source] BoxError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why there is no first key.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// No key could be made.
    #[error("no key could be made")]
    Make(#[source] BoxError),
    /// The key could not be kept, so it was not stored either.
    #[error("the key could not be kept")]
    Keep(#[source] BoxError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a key was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeKeyError {
    /// There is no such key for this caller.
    #[error("there is no such key")]
    NotFound,
    /// The key can do something the caller cannot.
    #[error("only a caller that holds every scope of a key may revoke it; {0} is not among yours")]
    ScopeBeyondCaller(Scope),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Makes, lists and revokes API keys.
#[derive(Clone)]
pub struct Keys {
    /// Where keys are kept.
    pub store: Arc<dyn KeyStore>,
    /// What remembers verified keys and must forget revoked ones.
    pub authenticator: Arc<Authenticator>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids come from.
    pub ids: Arc<dyn IdSource>,
    /// Where keys come from.
    pub entropy: Arc<dyn Entropy>,
    /// What keys are hashed with.
    pub digest: Arc<dyn Digest>,
}

impl Keys {
    /// Makes a key that can do no more than its maker.
    pub async fn create(&self, caller: &Caller, request: CreateKey) -> Result<CreatedKey, CreateKeyError> {
        let workspace = caller.workspace_for(request.workspace)?;
        if request.scopes.is_empty() {
            return Err(CreateKeyError::NoScopes);
        }
        if let Some(beyond) = request.scopes.iter().find(|scope| !caller.scopes.allow(*scope)) {
            return Err(CreateKeyError::ScopeBeyondMaker(beyond));
        }
        let now = self.clock.now();
        if request.expires_at.is_some_and(|expiry| expiry <= now) {
            return Err(CreateKeyError::ExpiresInThePast);
        }
        let made = self.make(request.name, request.scopes, workspace, request.expires_at);
        let (stored, key) = made.map_err(CreateKeyError::Entropy)?;
        let line = self.line(&stored.key, Action::KeyCreated, caller.actor.clone(), Some(caller.request));
        self.store.insert(&stored, &line).await?;
        Ok(CreatedKey { record: stored.key, key })
    }

    /// Makes the first key of an installation: `admin` in the default workspace. Says whether there was none before.
    ///
    /// `keep` is given the key before it is stored: a key that was stored and lost would lock everybody out. What it
    /// kept is worthless when the answer is `false`.
    pub async fn bootstrap(
        &self,
        keep: impl FnOnce(&Secret) -> Result<(), BoxError> + Send,
    ) -> Result<bool, BootstrapError> {
        let name = "bootstrap".parse().map_err(|error| BootstrapError::Make(Box::new(error)))?;
        let scopes = Scopes::NONE.with(Scope::Admin);
        let (stored, key) =
            self.make(name, scopes, Workspace::default_workspace(), None).map_err(BootstrapError::Make)?;
        keep(&key).map_err(BootstrapError::Keep)?;
        let line = self.line(&stored.key, Action::KeyCreated, Actor::System, None);
        Ok(self.store.insert_first(&stored, &line).await?)
    }

    /// A workspace's keys, newest first.
    pub async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<ApiKey>, Unavailable> {
        self.store.list(workspace, page).await
    }

    /// Revokes a key. It is refused from the next request on.
    pub async fn revoke(&self, caller: &Caller, id: ApiKeyId) -> Result<(), RevokeKeyError> {
        let reach = caller.reach();
        let key = self.store.find(&reach, id).await?.ok_or(RevokeKeyError::NotFound)?;
        if let Some(beyond) = key.scopes.iter().find(|scope| !caller.scopes.allow(*scope)) {
            return Err(RevokeKeyError::ScopeBeyondCaller(beyond));
        }
        let line = self.line(&key, Action::KeyRevoked, caller.actor.clone(), Some(caller.request));
        let revoked = self.store.revoke(&reach, id, &line).await;
        // Whatever the store says: a revocation whose confirmation was lost may be done.
        self.authenticator.forget(Some(id));
        if revoked? { Ok(()) } else { Err(RevokeKeyError::NotFound) }
    }

    fn make(
        &self,
        name: KeyName,
        scopes: Scopes,
        workspace: Workspace,
        expires_at: Option<Timestamp>,
    ) -> Result<(StoredKey, Secret), BoxError> {
        let text = KeyText::generate(self.entropy.as_ref())?;
        let key = ApiKey {
            id: ApiKeyId::from_uuid(self.ids.next()),
            public_id: text.id().clone(),
            name,
            scopes,
            workspace,
            created_at: self.clock.now(),
            expires_at,
            last_used_at: None,
        };
        Ok((StoredKey { key, hash: text.hash(self.digest.as_ref()) }, text.reveal()))
    }

    fn line(&self, key: &ApiKey, action: Action, actor: Actor, request: Option<nora_kernel::RequestId>) -> AuditLine {
        let resource = Resource::new(ResourceKind::Key, key.id);
        let line = AuditLine::system(&*self.ids, &*self.clock, &key.workspace, action, resource);
        AuditLine { actor, request, ..line }
    }
}
