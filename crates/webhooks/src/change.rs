//! Changing a channel.

use std::time::Duration;

use nora_agents::Patch;
use nora_catalog::Violation;
use nora_kernel::audit::Action;
use nora_kernel::{AgentId, Caller, ChannelId, SealError, Timestamp, Unavailable, WrappedKey};
use serde_json::{Map, Value};

use crate::config::Entered;
use crate::create::{ENROLMENT, Given, Undecided, Unguarded, decide};
use crate::ports::{ChangeChannelError as StoreError, ChannelUpdate, SecretsUpdate};
use crate::{
    Channel, ChannelError, ChannelName, Channels, NewSecret, SecretRole, StoredChannel, StoredSecret, Verification,
};

/// Two changes never bear the same time.
const TICK: Duration = Duration::from_micros(1);

/// A request to change a channel. What is left out stays.
#[derive(Debug, Default)]
pub struct ChangeChannel {
    /// Its name.
    pub name: Option<ChannelName>,
    /// A merge patch (RFC 7396) for the configuration: absent keeps, a value replaces, null removes.
    pub config: Option<Map<String, Value>>,
    /// What it demands.
    pub verification: Option<Verification>,
    /// Whether it takes anything.
    pub enabled: Option<bool>,
    /// Whether its delivery waits.
    pub paused: Option<bool>,
}

/// Why a channel was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeChannelError {
    /// There is no such channel for this caller.
    #[error("there is no such channel")]
    NotFound,
    /// Its type is not known here any more.
    #[error("the type of this channel is not enabled in this installation")]
    TypeDisabled,
    /// Nothing would verify what comes in, and nobody said so.
    #[error(transparent)]
    Unguarded(#[from] Unguarded),
    /// Something in the result would be wrong.
    #[error("the configuration is not valid for this type of channel")]
    Invalid(Vec<Violation>),
    /// It was changed by others at the same time.
    #[error("the channel is being changed by others")]
    Conflict,
    /// The secrets could not be sealed.
    #[error("the secrets could not be sealed")]
    Seal(#[from] SealError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<ChannelError> for ChangeChannelError {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::NotFound => Self::NotFound,
            ChannelError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl From<StoreError> for ChangeChannelError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            StoreError::Conflict | StoreError::IdempotencyTaken(_) => Self::Conflict,
            StoreError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl From<Undecided> for ChangeChannelError {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Unguarded(unguarded) => Self::Unguarded(unguarded),
            Undecided::Contradiction(violation) => Self::Invalid(vec![violation]),
        }
    }
}

impl Channels {
    /// Changes a channel. What comes in is held against the result at once here, and within a second elsewhere.
    pub async fn change(
        &self,
        caller: &Caller,
        agent: AgentId,
        id: ChannelId,
        request: ChangeChannel,
    ) -> Result<Channel, ChangeChannelError> {
        let (stored, key) = self.stored(caller, agent, id).await?;
        let now = self.clock.now();
        let info = self.types.get(&stored.channel.kind).ok_or(ChangeChannelError::TypeDisabled)?;
        let entered = Entered::read(info, &stored.channel.config, request.config.unwrap_or_default())
            .map_err(ChangeChannelError::Invalid)?;
        let scheme = info.scheme(&entered.config).map_err(|violation| ChangeChannelError::Invalid(vec![violation]))?;
        let asked = request.verification.or_else(|| kept(stored.channel.verification, &entered));
        let given = given(&stored, &entered, asked, now);
        let verification = decide(&scheme, asked, given)?;
        let weaknesses = entered.weaknesses(&scheme);
        if !weaknesses.is_empty() {
            return Err(ChangeChannelError::Invalid(weaknesses));
        }

        let enrol_until = match (verification, request.verification) {
            (Verification::Handshake, Some(_)) => Some(now.after(ENROLMENT)),
            (Verification::Handshake, None) => stored.enrol_until,
            _ => None,
        };
        let config = entered.config.clone();
        let secrets = self.replaced(&stored, &key, entered, verification, now).await?;
        let update = ChannelUpdate {
            agent,
            id,
            from_revision: stored.revision,
            name: request.name.unwrap_or(stored.channel.name),
            config,
            verification,
            enrol_until,
            enabled: request.enabled.unwrap_or(stored.channel.enabled),
            paused: request.paused.unwrap_or(stored.channel.paused),
            secrets,
            updated_at: now.max(stored.channel.updated_at.after(TICK)),
        };
        let action = changed(stored.channel.verification, verification);
        let line = self.lines().change(caller, &stored.workspace, action, agent, id);
        let updated = self.store.update(&update, &line, None).await;
        self.cache.forget(id);
        updated?;
        let ChannelUpdate { name, config, verification, enabled, paused, updated_at, .. } = update;
        let Channel { kind, created_at, .. } = stored.channel;
        Ok(Channel { id, agent, kind, name, config, verification, enabled, paused, created_at, updated_at })
    }

    /// The secrets from now on: the new ones in place of those of their role, and no signing secret where none is
    /// looked at.
    async fn replaced(
        &self,
        stored: &StoredChannel,
        key: &WrappedKey,
        entered: Entered,
        verification: Verification,
        now: Timestamp,
    ) -> Result<SecretsUpdate, SealError> {
        let roles = [(SecretRole::Signing, entered.signing), (SecretRole::VerifyToken, entered.verify_token)];
        let mut secrets: Vec<NewSecret> = Vec::new();
        for (role, entered) in roles {
            let of_role = stored.secrets.iter().filter(|secret| secret.role == role && secret.is_valid(now));
            match entered {
                Patch::Set(secret) => {
                    secrets.push(self.seal(key, &stored.workspace, stored.channel.agent, role, &secret).await?);
                }
                Patch::Keep if role == SecretRole::VerifyToken || verification == Verification::Secret => {
                    secrets.extend(of_role.cloned());
                }
                Patch::Keep | Patch::Remove => {}
            }
        }
        let same = secrets == stored.secrets;
        Ok(if same { SecretsUpdate::Keep } else { SecretsUpdate::Replace(secrets) })
    }
}

/// The trail tells when a channel stops verifying.
fn changed(before: Verification, after: Verification) -> Action {
    if after == Verification::None && before != after { Action::ChannelUnverified } else { Action::ChannelUpdated }
}

/// A secret that is entered is meant to verify.
fn kept(present: Verification, entered: &Entered) -> Option<Verification> {
    match entered.signing {
        Patch::Set(_) => None,
        Patch::Keep | Patch::Remove => Some(present),
    }
}

/// Which secrets the channel would have. What it says to verify nothing, or to wait for, is not held against old ones.
fn given(stored: &StoredChannel, entered: &Entered, asked: Option<Verification>, now: Timestamp) -> Given {
    let has = |role: SecretRole, entered: &Patch<_>, keeps: bool| {
        let valid = |secret: &StoredSecret| secret.role == role && secret.is_valid(now);
        match entered {
            Patch::Set(_) => true,
            Patch::Keep => keeps && stored.secrets.iter().any(valid),
            Patch::Remove => false,
        }
    };
    let keeps = matches!(asked, None | Some(Verification::Secret));
    Given {
        signing: has(SecretRole::Signing, &entered.signing, keeps),
        verify_token: has(SecretRole::VerifyToken, &entered.verify_token, true),
    }
}
