//! The key a connection signs with.

use nora_provider_sdk::sigv4::AccessKey;
use nora_provider_sdk::{Connection, Secret};

pub(crate) fn read(connection: &Connection<'_>) -> Option<AccessKey> {
    let secret = |field| connection.entered(field).map(Secret::duplicate);
    let (id, session_token) = (connection.text("access_key_id")?, secret("session_token"));
    Some(AccessKey { id, secret: secret("secret_access_key")?, session_token })
}

/// Whether this is one of AWS's temporary keys without what goes with it.
pub(crate) fn lacks_session_token(key: &AccessKey) -> bool {
    key.id.starts_with("ASIA") && key.session_token.is_none()
}
