//! The document of a deployment.

use nora_mcp_servers::ports::Deployment;
use zeroize::Zeroizing;

use crate::json;
use crate::servers::Servers;

#[derive(serde::Serialize)]
struct Document<'a> {
    agent_id: String,
    digest: &'a str,
    #[serde(flatten)]
    covered: &'a Covered<'a>,
}

/// What the digest covers.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Covered<'a> {
    mcp_servers: Servers<'a>,
}

/// The JSON of a deployment and its digest. `None` only if it cannot be written as JSON.
pub(super) fn encode(deployment: &Deployment) -> Option<(Zeroizing<Vec<u8>>, String)> {
    let covered = Covered { mcp_servers: Servers { all: &deployment.servers, transport: None, ours: false } };
    let digest = json::digest(&covered)?;
    let document = Document { agent_id: deployment.agent.to_string(), digest: &digest, covered: &covered };
    Some((json::encode(&document)?, digest))
}
