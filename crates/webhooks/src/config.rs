//! From what a person enters for a channel to its public configuration and its secrets.

use nora_agents::Patch;
use nora_catalog::Violation;
use nora_kernel::Secret;
use nora_provider_sdk::webhook::WebhookScheme;
use serde_json::{Map, Value};

use crate::types::TypeInfo;

/// Members that are kept in the vault, whatever the schema says of them.
const SIGNING: [&str; 2] = ["signing_secret", "public_key"];
const VERIFY_TOKEN: &str = "verify_token";
/// The longest text of a channel's configuration, in bytes.
const LONGEST: usize = 4096;

/// What a request says about a channel's configuration, as a merge patch (RFC 7396).
#[derive(Debug)]
pub(crate) struct Entered {
    /// The public configuration that comes out.
    pub(crate) config: Map<String, Value>,
    /// What becomes of what verifies.
    pub(crate) signing: Patch<Secret>,
    /// What becomes of the handshake's token.
    pub(crate) verify_token: Patch<Secret>,
}

impl Entered {
    /// Merges `patch` into `present` and takes the secrets out. A member that holds the empty text counts as left out,
    /// as a form sends it.
    pub(crate) fn read(
        info: &TypeInfo,
        present: &Map<String, Value>,
        patch: Map<String, Value>,
    ) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut entered = Self { config: present.clone(), signing: Patch::Keep, verify_token: Patch::Keep };
        for (name, value) in patch {
            if let Err(detail) = check(info, &name, &value) {
                violations.push(Violation { pointer: pointer(&name), detail });
            } else if let Some(secret) = entered.secret(&name) {
                *secret = taken(value);
            } else if value.is_null() {
                entered.config.remove(&name);
            } else if value.as_str() != Some("") {
                entered.config.insert(name, value);
            }
        }
        if violations.is_empty() { Ok(entered) } else { Err(violations) }
    }

    fn secret(&mut self, name: &str) -> Option<&mut Patch<Secret>> {
        match name {
            _ if SIGNING.contains(&name) => Some(&mut self.signing),
            VERIFY_TOKEN => Some(&mut self.verify_token),
            _ => None,
        }
    }

    /// What is wrong with the secrets themselves.
    pub(crate) fn weaknesses(&self, scheme: &WebhookScheme) -> Vec<Violation> {
        match &self.signing {
            Patch::Set(secret) => weakness(scheme, secret).into_iter().collect(),
            Patch::Keep | Patch::Remove => Vec::new(),
        }
    }
}

/// What is wrong with a secret or public key that is to verify.
pub(crate) fn weakness(scheme: &WebhookScheme, secret: &Secret) -> Option<Violation> {
    let field = scheme.secret_field().unwrap_or("signing_secret");
    let weak = scheme.check_secret(secret).err()?;
    Some(Violation { pointer: pointer(field), detail: weak.to_string() })
}

fn pointer(name: &str) -> String {
    format!("/config/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn taken(value: Value) -> Patch<Secret> {
    match value {
        Value::String(text) if !text.is_empty() => Patch::Set(Secret::new(text)),
        Value::String(_) => Patch::Keep,
        _ => Patch::Remove,
    }
}

/// Every member of a channel's configuration is a text; the schema says which there are and which texts they hold.
fn check(info: &TypeInfo, name: &str, value: &Value) -> Result<(), String> {
    let properties = info.config_schema.get("properties").and_then(Value::as_object);
    let property = properties.and_then(|properties| properties.get(name));
    let property = property.ok_or("is not known to this type of channel")?;
    let text = match value {
        Value::Null => return Ok(()),
        Value::String(text) => text,
        _ => return Err("must be a string".to_owned()),
    };
    match property.get("enum").and_then(Value::as_array) {
        Some(options) if !options.contains(value) => Err(format!("must be one of {}", Value::Array(options.clone()))),
        _ if text.len() > LONGEST => Err(format!("must have at most {LONGEST} bytes")),
        _ => Ok(()),
    }
}
