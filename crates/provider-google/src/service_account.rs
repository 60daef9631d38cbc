//! The key file of a service account.

use nora_provider_sdk::Secret;
use nora_provider_sdk::signature::RsaKey;
use serde::Deserialize;

/// Where assertions are exchanged. A key file names this address too, but is not asked.
pub(crate) const TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// The longest e-mail address.
const LONGEST_EMAIL: usize = 254;

const NOT_A_KEY_FILE: &str = "must be the whole JSON key file of a service account";
const OTHER_KIND: &str =
    "must be the key file of a service account: its `type` is `service_account`, and not that of another credential";
const NO_EMAIL: &str = "must name the service account's address as `client_email`";
const OTHER_TOKEN_URI: &str = "must have the `token_uri` https://oauth2.googleapis.com/token";
const NO_KEY: &str = "must hold an RSA key as `private_key`, exactly as Google wrote it";

#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    client_email: String,
    #[serde(default)]
    private_key: String,
    private_key_id: Option<String>,
    project_id: Option<String>,
    #[serde(default)]
    token_uri: String,
}

/// A service account that can sign.
pub(crate) struct ServiceAccount {
    pub(crate) email: String,
    pub(crate) key: RsaKey,
    pub(crate) key_id: Option<String>,
    pub(crate) project: Option<String>,
}

impl ServiceAccount {
    /// Reads a key file. The error says what to change, and repeats nothing of the file.
    pub(crate) fn parse(json: &Secret) -> Result<Self, &'static str> {
        let file: KeyFile = serde_json::from_str(json.expose()).map_err(|_| NOT_A_KEY_FILE)?;
        let private_key = Secret::new(file.private_key);
        if file.kind != "service_account" {
            return Err(OTHER_KIND);
        }
        if !is_email(&file.client_email) {
            return Err(NO_EMAIL);
        }
        if file.token_uri != TOKEN_URI {
            return Err(OTHER_TOKEN_URI);
        }
        let key = RsaKey::from_pem(&private_key).map_err(|_| NO_KEY)?;
        Ok(Self { email: file.client_email, key, key_id: file.private_key_id, project: file.project_id })
    }
}

/// Fit to be shown to people who are to share something with it.
fn is_email(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    text.len() <= LONGEST_EMAIL && text.split_once('@').is_some_and(|(name, domain)| plain(name) && plain(domain))
}
