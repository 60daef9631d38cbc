//! A channel that is ready to receive: its scheme is known and its secrets are open.

use std::sync::Arc;

use nora_kernel::{
    AgentId, ChannelId, ChannelSecretId, OpenError, Secret, Timestamp, Unavailable, Vault, Workspace, WrappedKey,
};
use nora_provider_sdk::webhook::{ChannelKeys, WebhookScheme};

use crate::{ChannelType, SecretRole, StoredChannel, StoredSecret, Verification};

/// A secret that verifies.
struct OpenSecret {
    id: ChannelSecretId,
    secret: Secret,
    expires_at: Option<Timestamp>,
}

/// A channel with its secrets open. Its `Debug` shows none of them.
pub struct OpenChannel {
    pub(crate) id: ChannelId,
    pub(crate) agent: AgentId,
    pub(crate) kind: ChannelType,
    pub(crate) workspace: Workspace,
    pub(crate) key: WrappedKey,
    pub(crate) revision: u64,
    pub(crate) enabled: bool,
    pub(crate) url: String,
    pub(crate) scheme: Arc<WebhookScheme>,
    verification: Verification,
    enrol_until: Option<Timestamp>,
    signing: Vec<OpenSecret>,
    verify_token: Option<Secret>,
}

impl std::fmt::Debug for OpenChannel {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenChannel").field("id", &self.id).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl OpenChannel {
    /// Opens a channel's secrets. One that does not open verifies nothing; the others go on.
    pub(crate) async fn open(
        stored: StoredChannel,
        key: WrappedKey,
        scheme: Arc<WebhookScheme>,
        url: String,
        vault: &dyn Vault,
    ) -> Result<Self, Unavailable> {
        let StoredChannel { channel, workspace, revision, enrol_until, secrets } = stored;
        let mut signing = Vec::new();
        let mut verify_token = None;
        for StoredSecret { id, role, sealed, expires_at, .. } in secrets {
            let context = StoredSecret::context(&workspace, channel.agent, id);
            let opened = match vault.open(&key, &context, &sealed).await {
                Ok(plaintext) => std::str::from_utf8(&plaintext).ok().map(|text| Secret::new(text.to_owned())),
                Err(OpenError::Unreadable) => None,
                Err(OpenError::Unavailable(source)) => return Err(Unavailable::transient(source)),
            };
            match (opened, role) {
                (Some(secret), SecretRole::Signing) => signing.push(OpenSecret { id, secret, expires_at }),
                (Some(secret), SecretRole::VerifyToken) => verify_token = verify_token.or(Some(secret)),
                (None, _) => tracing::warn!(channel = %channel.id, "a channel's secret does not open; enter it again"),
            }
        }
        Ok(Self {
            id: channel.id,
            agent: channel.agent,
            kind: channel.kind,
            workspace,
            key,
            revision,
            enabled: channel.enabled,
            url,
            scheme,
            verification: channel.verification,
            enrol_until,
            signing,
            verify_token,
        })
    }

    /// The largest body the channel takes, in bytes.
    pub fn max_body(&self) -> usize {
        usize::try_from(self.scheme.max_body).unwrap_or(usize::MAX)
    }

    /// The status of what it accepts.
    pub(crate) fn accept_status(&self) -> u16 {
        self.scheme.accept_status
    }

    /// Calls `with` with the keys that are valid at `now`, and the ids of the secrets among them, in the same order.
    pub(crate) fn with_keys<T>(
        &self,
        now: Timestamp,
        with: impl FnOnce(&ChannelKeys<'_>, &[ChannelSecretId]) -> T,
    ) -> T {
        let valid = self.signing.iter().filter(|open| open.expires_at.is_none_or(|end| now < end));
        let (ids, secrets): (Vec<ChannelSecretId>, Vec<&Secret>) = valid.map(|open| (open.id, &open.secret)).unzip();
        let awaiting = self.verification == Verification::Handshake;
        let keys = ChannelKeys {
            secrets: &secrets,
            verify_token: self.verify_token.as_ref(),
            unverified: self.verification == Verification::None,
            awaiting_handshake: awaiting && self.enrol_until.is_some_and(|end| now < end),
        };
        with(&keys, &ids)
    }
}
