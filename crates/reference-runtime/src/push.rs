//! A push, from its text to a state that may be applied.

use std::collections::BTreeMap;

use nora_kernel::{AgentId, EnvName, Secret};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::digest;
use crate::text::SecretText;

/// A push on the wire, and in the state file.
#[derive(Deserialize, Serialize)]
struct Wire {
    agent_id: String,
    generation: u64,
    digest: String,
    integrations: Vec<Value>,
    env: BTreeMap<String, SecretText>,
}

/// What the digest of a push covers.
#[derive(Serialize)]
struct Covered<'a> {
    env: &'a BTreeMap<String, SecretText>,
    integrations: &'a [Value],
}

/// Why a push is refused as a whole. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the body is not a push")]
    Malformed,
    #[error("agent_id is not a UUID")]
    Agent,
    #[error("an integration is not an object")]
    Integration,
    #[error("env holds a name that may not be set")]
    Name,
    #[error("a value in env holds a NUL character")]
    Value,
    #[error("the digest does not match")]
    Digest,
}

/// A push that was checked from end to end.
pub struct AppliedPush {
    agent: AgentId,
    generation: u64,
    digest: String,
    integrations: Vec<Value>,
    env: BTreeMap<EnvName, Secret>,
}

impl std::fmt::Debug for AppliedPush {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("AppliedPush");
        shown.field("agent", &self.agent).field("generation", &self.generation).finish_non_exhaustive()
    }
}

impl AppliedPush {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire = serde_json::from_slice(json).map_err(|_| Refusal::Malformed)?;
        let covered = Covered { env: &wire.env, integrations: &wire.integrations };
        if digest::of_json(&covered).as_ref() != Some(&wire.digest) {
            return Err(Refusal::Digest);
        }
        if !wire.integrations.iter().all(Value::is_object) {
            return Err(Refusal::Integration);
        }
        Ok(Self {
            agent: wire.agent_id.parse().map_err(|_| Refusal::Agent)?,
            generation: wire.generation,
            digest: wire.digest,
            integrations: wire.integrations,
            env: wire.env.into_iter().map(variable).collect::<Result<_, _>>()?,
        })
    }

    /// The push as JSON that [`parse`](Self::parse) takes.
    pub(crate) fn to_json(&self) -> Option<Zeroizing<Vec<u8>>> {
        let env = self.env.iter().map(|(name, value)| (name.to_string(), SecretText(value.duplicate()))).collect();
        let wire = Wire {
            agent_id: self.agent.to_string(),
            generation: self.generation,
            digest: self.digest.clone(),
            integrations: self.integrations.clone(),
            env,
        };
        serde_json::to_vec(&wire).ok().map(Zeroizing::new)
    }

    /// The agent.
    pub const fn agent(&self) -> AgentId {
        self.agent
    }

    /// The generation.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The integrations, as they were pushed.
    pub fn integrations(&self) -> &[Value] {
        &self.integrations
    }

    /// The environment, by name.
    pub const fn env(&self) -> &BTreeMap<EnvName, Secret> {
        &self.env
    }
}

fn variable((name, SecretText(value)): (String, SecretText)) -> Result<(EnvName, Secret), Refusal> {
    if value.expose().contains('\0') {
        return Err(Refusal::Value);
    }
    Ok((name.parse().map_err(|_| Refusal::Name)?, value))
}
