//! New secrets for a channel, without a gap.

use std::time::Duration;

use nora_catalog::Violation;
use nora_kernel::audit::Action;
use nora_kernel::{
    AgentId, Caller, ChannelId, ChannelSecretId, IdempotencyTaken, IdempotentRequest, SealError, Secret, StoredAnswer,
    Timestamp, Unavailable,
};

use crate::config::weakness;
use crate::ports::{ChangeChannelError as StoreError, ChannelUpdate, SecretsUpdate};
use crate::{ChannelError, Channels, NewSecret, SecretRole, StoredChannel, Verification};

/// How many secrets verify at once.
pub const MAX_SECRETS: usize = 10;
/// How long the old secrets go on verifying if nothing is said.
pub const DEFAULT_OVERLAP: Duration = Duration::from_hours(24);

/// What people may see of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretInfo {
    /// Its id.
    pub id: ChannelSecretId,
    /// When it was added.
    pub created_at: Timestamp,
    /// Until when it verifies; `None` for the current one.
    pub expires_at: Option<Timestamp>,
}

/// What a repeated request is answered with.
pub type AnswerSecrets = fn(&[SecretInfo]) -> StoredAnswer;

/// A request to add a secret.
#[derive(Debug)]
pub struct AddSecret {
    /// The secret, or the public key.
    pub secret: Secret,
    /// How long the old ones go on verifying.
    pub overlap: Duration,
    /// The retry protection of the request and what to answer when it is repeated.
    pub idempotency: Option<(IdempotentRequest, AnswerSecrets)>,
}

/// Why a secret was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddSecretError {
    /// There is no such channel for this caller.
    #[error("there is no such channel")]
    NotFound,
    /// Its type is not known here any more.
    #[error("the type of this channel is not enabled in this installation")]
    TypeDisabled,
    /// It is no secret for this channel.
    #[error("the secret is not one this channel can verify with")]
    Invalid(Violation),
    /// As many secrets verify already as may.
    #[error("{MAX_SECRETS} secrets verify already; wait until one has expired, or replace them by PATCH")]
    Full,
    /// The channel was changed by others at the same time.
    #[error("the channel is being changed by others")]
    Conflict,
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(IdempotencyTaken),
    /// The secret could not be sealed.
    #[error("the secret could not be sealed")]
    Seal(#[from] SealError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<ChannelError> for AddSecretError {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::NotFound => Self::NotFound,
            ChannelError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl From<StoreError> for AddSecretError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict => Self::Conflict,
            StoreError::IdempotencyTaken(taken) => Self::IdempotencyTaken(taken),
            StoreError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl Channels {
    /// Adds a secret that verifies at once, and lets the old ones end after a while. Returns all that verify now,
    /// newest first.
    pub async fn add_secret(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: ChannelId,
        request: AddSecret,
    ) -> Result<Vec<SecretInfo>, AddSecretError> {
        let AddSecret { secret, overlap, idempotency } = request;
        let (stored, key) = self.stored(caller, agent, id).await?;
        let info = self.types.get(&stored.channel.kind).ok_or(AddSecretError::TypeDisabled)?;
        let scheme = info.scheme(&stored.channel.config).map_err(AddSecretError::Invalid)?;
        if let Some(Violation { detail, .. }) = weakness(&scheme, &secret) {
            return Err(AddSecretError::Invalid(Violation { pointer: "/signing_secret".to_owned(), detail }));
        }
        let now = self.clock.now();
        let new = self.seal(&key, &stored.workspace, agent, SecretRole::Signing, &secret).await?;
        let secrets = with_overlap(&stored, new, now, now.after(overlap));
        let shown = shown(&secrets);
        if shown.len() > MAX_SECRETS {
            return Err(AddSecretError::Full);
        }
        let update = keyed(stored, secrets, now);
        let line = self.lines().change(caller, &update.1, Action::ChannelSecretAdded, agent, id);
        let answered = idempotency.map(|(request, answer)| request.answered(answer(&shown), now));
        let updated = self.store.update(&update.0, &line, answered.as_ref()).await;
        self.cache.forget(id);
        updated?;
        Ok(shown)
    }
}

/// The new secret before those that still verify, none of which outlives `until`.
fn with_overlap(stored: &StoredChannel, new: NewSecret, now: Timestamp, until: Timestamp) -> Vec<NewSecret> {
    let old = stored.secrets.iter().filter(|secret| secret.is_valid(now)).map(|secret| {
        let mut secret = secret.clone();
        if secret.role == SecretRole::Signing {
            secret.expires_at = Some(secret.expires_at.map_or(until, |end| end.min(until)));
        }
        secret
    });
    std::iter::once(new).chain(old).filter(|secret| secret.is_valid(now)).collect()
}

fn shown(secrets: &[NewSecret]) -> Vec<SecretInfo> {
    let signing = secrets.iter().filter(|secret| secret.role == SecretRole::Signing);
    signing
        .map(|NewSecret { id, created_at, expires_at, .. }| SecretInfo {
            id: *id,
            created_at: *created_at,
            expires_at: *expires_at,
        })
        .collect()
}

/// The channel as it was, but for its secrets: whatever it demanded before, it demands a signature now.
fn keyed(stored: StoredChannel, secrets: Vec<NewSecret>, now: Timestamp) -> (ChannelUpdate, nora_kernel::Workspace) {
    let StoredChannel { channel, workspace, revision, .. } = stored;
    let update = ChannelUpdate {
        agent: channel.agent,
        id: channel.id,
        from_revision: revision,
        name: channel.name,
        config: channel.config,
        verification: Verification::Secret,
        enrol_until: None,
        enabled: channel.enabled,
        paused: channel.paused,
        secrets: SecretsUpdate::Replace(secrets),
        updated_at: now.max(channel.updated_at),
    };
    (update, workspace)
}
