//! The key a connection signs with.

use nora_provider_sdk::{Connection, Secret};

/// An access key, with its session token if it is a temporary one.
pub(crate) struct Credentials {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: Secret,
    pub(crate) session_token: Option<Secret>,
}

impl Credentials {
    pub(crate) fn read(connection: &Connection<'_>) -> Option<Self> {
        let secret = |field| connection.secret(field).filter(|secret| !secret.is_empty()).map(Secret::duplicate);
        Some(Self {
            access_key_id: connection.text("access_key_id")?,
            secret_access_key: secret("secret_access_key")?,
            session_token: secret("session_token"),
        })
    }

    /// Whether this is one of AWS's temporary keys without what goes with it.
    pub(crate) fn lack_session_token(&self) -> bool {
        self.access_key_id.starts_with("ASIA") && self.session_token.is_none()
    }
}
