//! The body that changes an agent.

use nora_agents::{AgentName, ChangeAgent, GatewayChange, Patch, RuntimeChange, RuntimeKind};
use nora_kernel::Secret;
use utoipa::ToSchema;

use crate::request::{FromMembers, Members};
use crate::wire::RuntimeKindWord;

/// What changes about an agent. What is left out stays.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeAgent, example = json!({
    "runtime": { "url": "http://10.0.0.8:9090", "token": "RUNTIME_TOKEN" }
}))]
pub(super) struct ChangeAgentBody {
    /// What a person calls it from now on: 1 to 200 characters.
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 200)]
    name: Option<AgentName>,
    /// What changes about its runtime.
    #[schema(value_type = Option<RuntimeChangeBody>, nullable = false)]
    runtime: Option<RuntimeChangeBody>,
    /// What changes about its gateway; null takes it away.
    #[schema(value_type = Option<GatewayChangeBody>)]
    gateway: Patch<GatewayChangeBody>,
}

/// What changes about a runtime.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeAgentRuntime)]
struct RuntimeChangeBody {
    /// How it is spoken to.
    #[schema(value_type = Option<RuntimeKindWord>, nullable = false)]
    kind: Option<RuntimeKind>,
    /// Where it listens, with its token; null takes the address of an `openclaw` runtime away.
    #[schema(value_type = Option<String>)]
    url: Patch<String>,
    /// Its bearer token.
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    token: Option<Secret>,
}

/// What changes about a gateway.
#[derive(Debug, ToSchema)]
#[schema(as = ChangeAgentGateway)]
struct GatewayChangeBody {
    /// Where it listens, with its token.
    #[schema(nullable = false)]
    url: Option<String>,
    /// Its shared secret.
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    token: Option<Secret>,
    /// The seed of the Ed25519 device key to sign with, 64 hexadecimal digits.
    #[schema(value_type = Option<String>, nullable = false, write_only)]
    device_key: Option<Secret>,
}

impl FromMembers for ChangeAgentBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let name = members.parsed("name");
        let runtime = members.nested("runtime");
        let gateway = members.patch("gateway", Members::nested);
        Some(Self { name, runtime, gateway })
    }
}

impl FromMembers for RuntimeChangeBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        let kind = members.parsed("kind");
        let url = members.patch("url", Members::text);
        Some(Self { kind, url, token: members.secret("token") })
    }
}

impl FromMembers for GatewayChangeBody {
    fn from_members(members: &mut Members) -> Option<Self> {
        Some(Self {
            url: members.text("url"),
            token: members.secret("token"),
            device_key: members.secret("device_key"),
        })
    }
}

impl ChangeAgentBody {
    /// Whether it says anything about where credentials are sent.
    pub(super) fn moves_credentials(&self) -> bool {
        self.runtime.is_some() || !matches!(self.gateway, Patch::Keep)
    }

    pub(super) fn into_request(self) -> ChangeAgent {
        let Self { name, runtime, gateway } = self;
        let runtime = runtime.map(|RuntimeChangeBody { kind, url, token }| RuntimeChange { kind, url, token });
        let gateway = match gateway {
            Patch::Keep => Patch::Keep,
            Patch::Remove => Patch::Remove,
            Patch::Set(GatewayChangeBody { url, token, device_key }) => {
                Patch::Set(GatewayChange { url, token, device_key })
            }
        };
        ChangeAgent { name, runtime, gateway }
    }
}
