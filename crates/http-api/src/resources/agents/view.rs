//! What an agent looks like.

use nora_agents::{Agent, DeviceIdentity, Gateway, Runtime};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::wire::{RuntimeKindWord, Time};

/// An agent: where its runtime is, never what opens it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agent)]
pub(super) struct AgentView {
    /// Its id.
    #[schema(example = "a1b2c3d4-e5f6-7890-abcd-ef1234567890")]
    id: Uuid,
    /// What a person calls it.
    #[schema(example = "Release assistant")]
    name: String,
    /// The tenant it belongs to.
    #[schema(example = "default")]
    workspace: String,
    /// Its runtime.
    runtime: RuntimeView,
    /// Its gateway, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    gateway: Option<GatewayView>,
    /// When it was registered.
    created_at: Time,
    /// When it was last changed.
    updated_at: Time,
}

/// An agent's runtime.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentRuntime)]
struct RuntimeView {
    /// How it is spoken to.
    kind: RuntimeKindWord,
    /// Where it listens; null if it has a gateway alone.
    #[schema(example = "http://10.0.0.7:9090/")]
    url: Option<String>,
}

/// An agent's gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgentGateway)]
struct GatewayView {
    /// Where it listens.
    #[schema(example = "ws://10.0.0.7:18789/")]
    url: String,
    /// The id of the device key this service signs with: what an operator pairs at the gateway.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    device_id: String,
}

/// The public half of the device key for an agent's gateway.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeviceKey)]
pub(super) struct DeviceKeyView {
    /// The lower-case hexadecimal SHA-256 of the raw public key: how a gateway names the device.
    #[schema(example = "2ffbc08d9afc4d19f5981b70d41d899763d1b01d635473bed7285918e06efb86")]
    device_id: String,
    /// The raw Ed25519 public key, in base64url without padding.
    #[schema(example = "qRQye57kfduAA-0WCY7NRXgdRkOomLdwjYY9x-ie2QM")]
    public_key: String,
}

impl From<DeviceIdentity> for DeviceKeyView {
    fn from(DeviceIdentity { device_id, public_key }: DeviceIdentity) -> Self {
        Self { device_id, public_key }
    }
}

impl AgentView {
    pub(super) fn of(agent: &Agent) -> Self {
        let Agent { id, workspace, name, runtime, gateway, created_at, updated_at } = agent;
        Self {
            id: id.as_uuid(),
            name: name.to_string(),
            workspace: workspace.to_string(),
            runtime: RuntimeView::of(runtime),
            gateway: gateway.as_ref().map(GatewayView::of),
            created_at: Time(*created_at),
            updated_at: Time(*updated_at),
        }
    }
}

impl RuntimeView {
    fn of(runtime: &Runtime) -> Self {
        Self { kind: RuntimeKindWord(runtime.kind.as_str()), url: runtime.url.as_ref().map(ToString::to_string) }
    }
}

impl GatewayView {
    fn of(gateway: &Gateway) -> Self {
        Self { url: gateway.url.to_string(), device_id: gateway.device_id.clone() }
    }
}
