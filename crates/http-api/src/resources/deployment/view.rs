//! What a deployment looks like.

use nora_mcp_servers::{DeploymentView, Form, Omitted, references};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::wire::KeyedDigest;

/// What a redeploy would hand over.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Deployment)]
pub(super) struct DeploymentBody {
    /// A keyed digest over all of it, credentials included.
    digest: KeyedDigest,
    /// The servers by name. `{"secretRef": "INTEGRATION_ID/FIELD"}` stands for a value with a credential in it.
    #[schema(value_type = Object, example = json!({
        "gitlab": {
            "command": "npx",
            "args": ["-y", "@modelcontextprotocol/server-gitlab@2025.4.25"],
            "env": {
                "GITLAB_API_URL": "https://gitlab.com/api/v4",
                "GITLAB_PERSONAL_ACCESS_TOKEN": {
                    "secretRef": "c3d4e5f6-a7b8-9012-cdef-234567890123/personal_access_token"
                }
            }
        }
    }))]
    mcp_servers: Map<String, Value>,
    /// Servers that are switched on and cannot be handed over yet.
    omitted: Vec<OmittedBody>,
    /// Who reads `document`.
    #[schema(example = "plain")]
    form: &'static str,
    /// The same servers in the form its reader takes, with `${NAME}` in place of each credential.
    #[schema(value_type = Object)]
    document: Value,
}

/// A server that is switched on and cannot be handed over.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OmittedMcpServer)]
struct OmittedBody {
    /// Its provider.
    #[schema(example = "gitlab")]
    provider: String,
    /// The field of the integration that it needs.
    #[schema(example = "base_url")]
    field: String,
}

impl DeploymentBody {
    pub(super) fn of(view: &DeploymentView, form: Option<Form>) -> Self {
        let form = form.unwrap_or(Form::of(view.kind));
        Self {
            digest: KeyedDigest(*view.digest()),
            mcp_servers: references(view.servers()),
            omitted: view.omitted().iter().map(OmittedBody::of).collect(),
            form: form.as_str(),
            document: form.document(view.servers()),
        }
    }
}

impl OmittedBody {
    fn of(Omitted { provider, field }: &Omitted) -> Self {
        Self { provider: provider.to_string(), field: field.clone() }
    }
}
