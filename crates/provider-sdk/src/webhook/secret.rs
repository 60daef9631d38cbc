//! Secrets that are none.

use nora_kernel::Secret;

use super::verify::{point, standard_key};
use super::{Key, SignatureAlgorithm, VerificationMethod, WebhookScheme, encoding};

/// What people and templates write where a secret belongs, in lower case, and secrets that are published.
const PLACEHOLDERS: &[&str] = &[
    "...",
    "<secret>",
    "change me",
    "change-me",
    "change_me",
    "changeme",
    "changethis",
    "default",
    "dummy",
    "example",
    "false",
    "foobar",
    "insert-secret-here",
    "my-secret",
    "my_secret",
    "mysecret",
    "n/a",
    "nan",
    "nil",
    "none",
    "null",
    "nullptr",
    "password",
    "placeholder",
    "replace-me",
    "replace_me",
    "replaceme",
    "secret",
    "signing-secret",
    "signing_secret",
    "string",
    "tbd",
    "test",
    "todo",
    "token",
    "true",
    "undefined",
    "webhook-secret",
    "webhook_secret",
    "whsec_",
    "whsec_...",
    "your-secret",
    "your-signing-secret",
    "your-webhook-secret",
    "your_secret",
    "your_signing_secret",
    "your_webhook_secret",
    "yoursecret",
    // Zendesk signs with it until a webhook is saved, for whoever presses the button.
    "dghpc19zzwnyzxrfaxnfzm9yx3rlc3rpbmdfb25seq==",
    "this_secret_is_for_testing_only",
];

/// Why a secret cannot verify anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeakSecret {
    /// It is empty, or white space.
    #[error("is empty")]
    Empty,
    /// Everybody knows it.
    #[error("is a placeholder: enter the secret itself")]
    Placeholder,
    /// It is shorter than the scheme asks.
    #[error("is too short: use at least {0} random bytes")]
    TooShort(u8),
    /// It is no key of this scheme.
    #[error("is no key of this kind: copy it again, whole and unchanged")]
    NoKey,
}

/// Whether a secret is one that everybody knows: a word of templates, or one character over and over.
pub(super) fn is_placeholder(secret: &Secret) -> bool {
    let text = secret.expose().trim().to_ascii_lowercase();
    let mut characters = text.chars();
    let first = characters.next();
    PLACEHOLDERS.contains(&text.as_str()) || characters.all(|character| Some(character) == first)
}

impl WebhookScheme {
    /// Whether a secret or public key can verify this scheme's requests: it is asked when one is entered.
    ///
    /// A secret that a vendor issues is taken as it comes, except for one that everybody knows; where people choose
    /// their own it must have [`min_secret_bytes`](Self::min_secret_bytes).
    pub fn check_secret(&self, secret: &Secret) -> Result<(), WeakSecret> {
        if secret.expose().trim().is_empty() {
            return Err(WeakSecret::Empty);
        }
        if is_placeholder(secret) {
            return Err(WeakSecret::Placeholder);
        }
        let keyed = self.verify.iter().filter_map(|way| key_length(&way.method, secret));
        match keyed.max() {
            None => Err(WeakSecret::NoKey),
            Some(length) if length < self.min_secret_bytes.into() => Err(WeakSecret::TooShort(self.min_secret_bytes)),
            Some(_) => Ok(()),
        }
    }
}

/// How many bytes of key a secret is for a way to verify; `None` if it is no key for it.
fn key_length(method: &VerificationMethod, secret: &Secret) -> Option<usize> {
    let decoded = |form: &Key| encoding::key(secret, form);
    match method {
        VerificationMethod::Hmac { key, .. } => decoded(key).map(|key| key.len()),
        VerificationMethod::StandardWebhooks { .. } => decoded(&standard_key()).map(|key| key.len()),
        VerificationMethod::Signature { algorithm: SignatureAlgorithm::Ed25519, key, .. } => {
            decoded(key).map(|key| key.len()).filter(|length| *length == 32)
        }
        VerificationMethod::Signature { algorithm: SignatureAlgorithm::EcdsaP256, key, .. } => {
            decoded(key).filter(|key| point(key).is_some()).map(|key| key.len())
        }
        VerificationMethod::Basic => secret.expose().contains(':').then(|| secret.expose().len()),
        VerificationMethod::Token { .. } | VerificationMethod::Jwt { .. } => Some(secret.expose().len()),
        VerificationMethod::Code | VerificationMethod::None => None,
    }
}
