//! The body that registers an agent.

use nora_agents::{AgentName, CreateAgent, GatewayInput, RuntimeInput, RuntimeKind};
use nora_kernel::{AgentId, Secret, Workspace};
use utoipa::ToSchema;

use crate::request::{FromMembers, Members};
use crate::wire::RuntimeKindWord;

/// An agent to be registered.
#[derive(Debug, ToSchema)]
#[schema(as = CreateAgent, example = json!({
    "name": "Release assistant",
    "runtime": { "kind": "nora", "url": "http://10.0.0.7:9090", "token": "RUNTIME_TOKEN" }
}))]
pub(super) struct CreateAgentBody {
    /// What a person calls it: 1 to 200 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    name: AgentName,
    /// Its runtime.
    runtime: RuntimeBody,
    /// Its gateway. An `openclaw` runtime needs one.
    gateway: Option<GatewayBody>,
    /// The platform's own id for it; a new one is made if it is left out.
    #[schema(value_type = Option<uuid::Uuid>)]
    id: Option<AgentId>,
    /// The tenant it will belong to. Only `admin` may name another than its own.
    #[schema(value_type = Option<String>)]
    workspace: Option<Workspace>,
}

/// Where a runtime is and what opens it.
#[derive(Debug, ToSchema)]
#[schema(as = CreateAgentRuntime)]
struct RuntimeBody {
    /// How it is spoken to.
    #[schema(value_type = RuntimeKindWord)]
    kind: RuntimeKind,
    /// Where it listens: an `http` or `https` URL without user, query or fragment. Optional for `openclaw` alone.
    url: Option<String>,
    /// Its bearer token. A runtime of kind `nora` needs one.
    #[schema(value_type = Option<String>, write_only)]
    token: Option<Secret>,
}

/// Where a gateway is and what opens it.
#[derive(Debug, ToSchema)]
#[schema(as = CreateAgentGateway)]
struct GatewayBody {
    /// Where it listens: a `ws` or `wss` URL without user, query or fragment.
    url: String,
    /// Its shared secret.
    #[schema(value_type = String, write_only)]
    token: Secret,
    /// The seed of the Ed25519 device key to sign with, 64 hexadecimal digits; a new key is made if it is left out.
    #[schema(value_type = Option<String>, write_only)]
    device_key: Option<Secret>,
}

impl FromMembers for CreateAgentBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let name = members.required("name", Members::parsed);
        let runtime = members.required("runtime", Members::nested);
        let gateway = members.nested("gateway");
        let id = members.parsed("id");
        let workspace = members.parsed("workspace");
        Some(Self { name: name?, runtime: runtime?, gateway, id, workspace })
    }
}

impl FromMembers for RuntimeBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let kind = members.required("kind", Members::parsed);
        let url = members.text("url");
        let token = members.secret("token");
        Some(Self { kind: kind?, url, token })
    }
}

impl FromMembers for GatewayBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let url = members.required("url", Members::text);
        let token = members.required("token", Members::secret);
        let device_key = members.secret("device_key");
        Some(Self { url: url?, token: token?, device_key })
    }
}

impl CreateAgentBody {
    /// The request, without protection against being repeated.
    pub(super) fn into_request(self) -> CreateAgent {
        let Self { name, runtime, gateway, id, workspace } = self;
        let RuntimeBody { kind, url, token } = runtime;
        let gateway = gateway.map(|GatewayBody { url, token, device_key }| GatewayInput { url, token, device_key });
        CreateAgent { id, name, runtime: RuntimeInput { kind, url, token }, gateway, workspace, idempotency: None }
    }
}
