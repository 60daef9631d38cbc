//! Making a channel.

use std::time::Duration;

use nora_agents::{Patch, RuntimeKind};
use nora_catalog::Violation;
use nora_kernel::audit::Action;
use nora_kernel::{
    AgentId, Caller, ChannelId, IdempotencyTaken, IdempotentRequest, SealError, Secret, StoredAnswer, Unavailable,
};
use nora_provider_sdk::webhook::WebhookScheme;
use serde_json::{Map, Value};

use crate::config::Entered;
use crate::ports::{ChannelOwner, InsertChannelError};
use crate::types::TypeInfo;
use crate::{Channel, ChannelName, Channels, PublicUrl, SecretRole, StoredChannel, Verification};

/// How long a new channel waits for the handshake that brings its secret.
pub(crate) const ENROLMENT: Duration = Duration::from_hours(1);

/// What a repeated request is answered with.
pub type AnswerChannel = fn(&Channel, &PublicUrl) -> StoredAnswer;

/// A request to make a channel.
#[derive(Debug)]
pub struct CreateChannel {
    /// Whose it is to be.
    pub agent: AgentId,
    /// Its id, where it is not ours to choose.
    pub id: Option<ChannelId>,
    /// Its type, as the request spells it.
    pub kind: Option<String>,
    /// What it is called; like its type if nothing is said.
    pub name: Option<ChannelName>,
    /// Its configuration, secrets included.
    pub config: Map<String, Value>,
    /// What it demands; a valid signature if nothing is said.
    pub verification: Option<Verification>,
    /// The retry protection of the request and what to answer when it is repeated.
    pub idempotency: Option<(IdempotentRequest, AnswerChannel)>,
}

/// Why a channel was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateChannelError {
    /// There is no such agent for this caller.
    #[error("there is no such agent")]
    AgentNotFound,
    /// The request names no type.
    #[error("type is required")]
    TypeMissing,
    /// There is no such type here.
    #[error("there is no such type of channel; GET /api/channel-types lists them")]
    TypeUnknown,
    /// The agent's runtime takes no events.
    #[error("the agent's runtime takes no events: it needs a url of kind nora, sidecar or openclaw")]
    RuntimeCannotReceive,
    /// Nothing would verify what comes in, and nobody said so.
    #[error(transparent)]
    Unguarded(#[from] Unguarded),
    /// Something in the request is wrong.
    #[error("the configuration is not valid for this type of channel")]
    Invalid(Vec<Violation>),
    /// A channel with this id exists.
    #[error("a channel with this id exists")]
    Exists,
    /// The request was answered before.
    #[error(transparent)]
    IdempotencyTaken(IdempotencyTaken),
    /// The secrets could not be sealed.
    #[error("the secrets could not be sealed")]
    Seal(#[from] SealError),
    /// The store could not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Nothing would verify what comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("send config.{field}, or say \"verification\": \"none\" to take whatever is posted")]
pub struct Unguarded {
    /// The member of `config` that is missing.
    pub field: &'static str,
}

impl From<InsertChannelError> for CreateChannelError {
    fn from(error: InsertChannelError) -> Self {
        match error {
            InsertChannelError::AgentNotFound => Self::AgentNotFound,
            InsertChannelError::Exists => Self::Exists,
            InsertChannelError::IdempotencyTaken(taken) => Self::IdempotencyTaken(taken),
            InsertChannelError::Unavailable(source) => Self::Unavailable(source),
        }
    }
}

impl Channels {
    /// Checks a request against its type, seals its secrets and stores the channel. It takes webhooks at once.
    pub async fn create(&self, caller: &Caller, request: CreateChannel) -> Result<Channel, CreateChannelError> {
        let CreateChannel { agent, id, kind, name, config, verification, idempotency } = request;
        let owner = self.store.owner(&caller.reach(), agent).await?.ok_or(CreateChannelError::AgentNotFound)?;
        let info = self.type_of(kind.as_deref())?;
        if !can_receive(&owner) {
            return Err(CreateChannelError::RuntimeCannotReceive);
        }
        let entered = Entered::read(info, &Map::new(), config).map_err(CreateChannelError::Invalid)?;
        let scheme = info.scheme(&entered.config).map_err(|violation| CreateChannelError::Invalid(vec![violation]))?;
        let given = Given { signing: is_set(&entered.signing), verify_token: is_set(&entered.verify_token) };
        let verification = decide(&scheme, verification, given)?;
        let weaknesses = entered.weaknesses(&scheme);
        if !weaknesses.is_empty() {
            return Err(CreateChannelError::Invalid(weaknesses));
        }

        let now = self.clock.now();
        let mut secrets = Vec::new();
        for (role, entered) in [(SecretRole::Signing, entered.signing), (SecretRole::VerifyToken, entered.verify_token)]
        {
            if let Patch::Set(secret) = entered {
                secrets.push(self.seal(&owner.key, &owner.workspace, agent, role, &secret).await?);
            }
        }
        let channel = Channel {
            id: id.unwrap_or_else(|| ChannelId::from_uuid(self.ids.next())),
            agent,
            kind: info.kind.clone(),
            name: name.unwrap_or_else(|| ChannelName::of_type(&info.name)),
            config: entered.config,
            verification,
            enabled: true,
            paused: false,
            created_at: now,
            updated_at: now,
        };
        if verification == Verification::None {
            tracing::warn!(channel = %channel.id, %agent, "a channel takes webhooks without verifying them");
        }
        let enrol_until = (verification == Verification::Handshake).then(|| now.after(ENROLMENT));
        let line = self.lines().change(caller, &owner.workspace, created(verification), agent, channel.id);
        let answered = idempotency.map(|(request, answer)| request.answered(answer(&channel, &self.url), now));
        let stored = StoredChannel { channel, workspace: owner.workspace, revision: 1, enrol_until, secrets };
        self.store.insert(&stored, &line, answered.as_ref()).await?;
        self.cache.forget(stored.channel.id);
        Ok(stored.channel)
    }

    fn type_of(&self, kind: Option<&str>) -> Result<&TypeInfo, CreateChannelError> {
        let kind = kind.filter(|kind| !kind.is_empty()).ok_or(CreateChannelError::TypeMissing)?;
        let known = kind.parse().ok().and_then(|kind| self.types.get(&kind));
        known.ok_or(CreateChannelError::TypeUnknown)
    }
}

/// The trail tells a channel that verifies nothing from one that does.
const fn created(verification: Verification) -> Action {
    match verification {
        Verification::None => Action::ChannelCreatedUnverified,
        Verification::Secret | Verification::Handshake => Action::ChannelCreated,
    }
}

const fn can_receive(owner: &ChannelOwner) -> bool {
    match owner.kind {
        RuntimeKind::Nora | RuntimeKind::Sidecar | RuntimeKind::Openclaw => owner.has_url,
        RuntimeKind::Hermes => false,
    }
}

const fn is_set(secret: &Patch<Secret>) -> bool {
    matches!(secret, Patch::Set(_))
}

/// Which secrets a channel has, or would have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given {
    pub(crate) signing: bool,
    pub(crate) verify_token: bool,
}

/// Why what a channel demands cannot be what the request says.
pub(crate) enum Undecided {
    Unguarded(Unguarded),
    Contradiction(Violation),
}

impl From<Undecided> for CreateChannelError {
    fn from(undecided: Undecided) -> Self {
        match undecided {
            Undecided::Unguarded(unguarded) => Self::Unguarded(unguarded),
            Undecided::Contradiction(violation) => Self::Invalid(vec![violation]),
        }
    }
}

/// What a channel demands. It fails closed: without its secret there is no channel, unless the request says so.
pub(crate) fn decide(
    scheme: &WebhookScheme,
    asked: Option<Verification>,
    given: Given,
) -> Result<Verification, Undecided> {
    let contradiction = |detail: &str| {
        let (pointer, detail) = ("/verification".to_owned(), detail.to_owned());
        Err(Undecided::Contradiction(Violation { pointer, detail }))
    };
    match asked {
        Some(Verification::None) if given.signing => {
            contradiction("says none, yet there is a secret to verify with; leave one of them out")
        }
        Some(Verification::None) => Ok(Verification::None),
        Some(Verification::Handshake) if !scheme.secret_comes_in_handshake() => {
            contradiction("this type of channel has no handshake that brings its secret")
        }
        Some(Verification::Handshake) if given.signing => {
            contradiction("says handshake, yet there is a secret already; leave one of them out")
        }
        Some(Verification::Handshake) => Ok(Verification::Handshake),
        Some(Verification::Secret) | None => {
            if !given.signing {
                return Err(Undecided::Unguarded(Unguarded {
                    field: scheme.secret_field().unwrap_or("signing_secret"),
                }));
            }
            if scheme.needs_verify_token() && !given.verify_token {
                return Err(Undecided::Unguarded(Unguarded { field: "verify_token" }));
            }
            Ok(Verification::Secret)
        }
    }
}
