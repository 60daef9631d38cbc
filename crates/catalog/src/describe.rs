//! What a client sees of a provider.

use nora_provider_sdk::Manifest;
use nora_provider_sdk::manifest::Field;
use serde_json::{Value, json};

pub(crate) fn describe(manifest: &Manifest, enabled: bool) -> Value {
    let credential_fields: Vec<Value> = manifest.credential_fields().map(|field| credential(manifest, field)).collect();
    let env: Vec<Value> = manifest.fields().iter().filter_map(variable).collect();
    json!({
        "id": manifest.id().as_str(),
        "name": manifest.name(),
        "icon": manifest.icon(),
        "category": manifest.category(),
        "description": manifest.description(),
        "auth_type": manifest.auth_type().as_str(),
        "config_schema": manifest.config_schema(),
        "enabled": enabled,
        "docs_url": manifest.docs_url(),
        "capabilities": manifest.capabilities(),
        "credential_fields": credential_fields,
        "env": env,
        "mcp": manifest.mcp_description(),
        "webhook": manifest.webhook_description(),
    })
}

/// A credential: `in` says where a connect request carries it.
fn credential(manifest: &Manifest, field: &Field) -> Value {
    let is_token = manifest.token().is_some_and(|token| token.name == field.name);
    json!({
        "name": field.name.as_str(),
        "title": field.title,
        "description": field.description,
        "in": if is_token { "token" } else { "config" },
        "secret": field.secret,
        "required": field.required,
        "multiline": field.kind.is_multiline(),
        "hint": field.hint,
        "placeholder": field.placeholder,
    })
}

fn variable(field: &Field) -> Option<Value> {
    let name = field.env.as_ref()?;
    Some(json!({ "name": name.as_str(), "field": field.name.as_str(), "secret": field.secret }))
}
