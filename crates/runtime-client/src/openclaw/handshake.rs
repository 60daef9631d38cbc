//! Who we are to a gateway, and what it says of itself.

use nora_integrations::ports::{FailureClass, GatewayAddress, PushError};
use nora_kernel::Secret;
use serde::{Deserialize, Serialize};

use super::device::{DeviceProof, prove};
use super::frame::exposed;

/// Gateways know a closed list of clients.
pub(super) const CLIENT_ID: &str = "gateway-client";
pub(super) const CLIENT_MODE: &str = "backend";
/// A paired device is pinned to its platform, so this never follows the machine we run on.
pub(super) const PLATFORM: &str = "linux";
pub(super) const ROLE: &str = "operator";
/// The least that secrets are written with.
pub(super) const SCOPE: &str = "operator.admin";
/// What gateways note as the author of what we write.
pub(super) const AUTHOR: &str = "nora-rs";

/// The protocols spoken here. Gateways without a secret store speak the older one.
const PROTOCOLS: std::ops::RangeInclusive<u32> = 3..=4;
/// A nonce is a UUID; it becomes a part of what is signed.
const LONGEST_NONCE: usize = 128;

/// The gateway's first frame.
#[derive(Deserialize)]
pub(super) struct Challenge {
    nonce: String,
    ts: i64,
}

/// The parameters of `connect`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConnectParams<'a> {
    min_protocol: u32,
    max_protocol: u32,
    client: Client,
    role: &'static str,
    scopes: [&'static str; 1],
    caps: [(); 0],
    commands: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Auth<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceProof>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    id: &'static str,
    display_name: &'static str,
    version: &'static str,
    platform: &'static str,
    mode: &'static str,
}

/// A gateway takes its shared secret as a password, whether it calls it password or token.
#[derive(Serialize)]
struct Auth<'a> {
    #[serde(serialize_with = "exposed")]
    password: &'a Secret,
}

/// What a gateway says of itself once it has let us in. Everything else in it is skipped unread.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    protocol: u32,
    #[serde(default)]
    server: Server,
    #[serde(default)]
    auth: Granted,
    #[serde(default)]
    features: Features,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Server {
    boot_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Granted {
    scopes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Features {
    methods: Vec<String>,
}

/// Answers a challenge.
///
/// # Errors
///
/// The nonce is not fit to be signed, or the device key is none.
pub(super) fn connect<'a>(gateway: &'a GatewayAddress, challenge: &Challenge) -> Result<ConnectParams<'a>, PushError> {
    let Challenge { nonce, ts } = challenge;
    if nonce.len() > LONGEST_NONCE || !nonce.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(PushError::failed(FailureClass::BadAnswer));
    }
    let prove = |seed| prove(seed, nonce, *ts).ok_or(PushError::failed(FailureClass::Unreadable));
    Ok(ConnectParams {
        min_protocol: *PROTOCOLS.start(),
        max_protocol: *PROTOCOLS.end(),
        client: Client {
            id: CLIENT_ID,
            display_name: AUTHOR,
            version: env!("CARGO_PKG_VERSION"),
            platform: PLATFORM,
            mode: CLIENT_MODE,
        },
        role: ROLE,
        scopes: [SCOPE],
        caps: [],
        commands: [],
        auth: gateway.token.as_ref().map(|password| Auth { password }),
        device: gateway.device_key.as_ref().map(prove).transpose()?,
    })
}

impl Hello {
    /// Whether there is anything to be done with this gateway.
    ///
    /// A connection without a known device is let in with no scope at all, and only the next call would be refused.
    pub(super) fn check(&self) -> Result<(), PushError> {
        if !PROTOCOLS.contains(&self.protocol) {
            return Err(PushError::failed(FailureClass::UnsupportedRuntime));
        }
        if self.protocol >= 4 && !self.auth.scopes.iter().any(|scope| scope == SCOPE) {
            return Err(PushError::failed(FailureClass::NotAuthorised));
        }
        Ok(())
    }

    /// Whether the gateway has a secret store. Versions are not compared: a gateway lists what it can do.
    pub(super) fn has_store(&self) -> bool {
        let needed = ["secrets.store.list", "secrets.store.set", "secrets.store.delete"];
        needed.iter().all(|needed| self.features.methods.iter().any(|method| method == needed))
    }

    /// Whether the gateway takes patches of its configuration as we make them; older ones were never seen to.
    pub(super) fn takes_patches(&self) -> bool {
        self.protocol >= 4 && self.features.methods.iter().any(|method| method == "config.patch")
    }

    /// Changes with every restart of the gateway; empty where it does not say.
    pub(super) fn boot(&self) -> &str {
        self.server.boot_id.as_deref().unwrap_or_default()
    }
}
