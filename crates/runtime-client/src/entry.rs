//! An integration as runtimes are told of it. It holds no secret.

use nora_integrations::ports::PushedIntegration;
use serde_json::{Map, Value};

use crate::shown::{redacted, shown};

/// What stands for one integration in a document.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry<'a> {
    id: String,
    provider: &'a str,
    name: String,
    category: String,
    auth_type: &'static str,
    label: &'a str,
    status: &'static str,
    config: &'a Map<String, Value>,
    redacted_config: Map<String, Value>,
    capabilities: &'a [String],
    tool_specs: [(); 0],
    api: (),
    mcp: (),
    usage_hints: [(); 0],
}

/// The entry of an integration. What a runtime copies into texts that an agent reads is one line each.
pub(crate) fn entry(integration: &PushedIntegration) -> Entry<'_> {
    Entry {
        id: integration.id.to_string(),
        provider: integration.provider.as_str(),
        name: shown(&integration.name),
        category: shown(&integration.category),
        auth_type: integration.auth_type,
        label: integration.label.as_str(),
        status: "active",
        config: &integration.config,
        redacted_config: redacted(&integration.config, &integration.secret_fields),
        capabilities: &integration.capabilities,
        tool_specs: [],
        api: (),
        mcp: (),
        usage_hints: [],
    }
}
