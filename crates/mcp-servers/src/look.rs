//! What was found out about an agent's deployment by opening its credentials, remembered until something changes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nora_integrations::Integration;
use nora_kernel::{AgentId, Digest, ProviderId};

use crate::Omitted;
use crate::feeding::feeders;
use crate::ports::AgentServers;
use crate::shown::ShownServer;

/// For how many agents it is remembered. One costs about a kilobyte.
const REMEMBERED: usize = 4_096;

/// A deployment as it may be seen. It holds no credential.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) digest: [u8; 32],
    pub(crate) servers: Vec<ShownServer>,
    pub(crate) omitted: Vec<Omitted>,
}

/// What a look was at: the same fingerprint means the same deployment, for as long as the catalog stays the same.
pub(crate) type Fingerprint = [u8; 32];

pub(crate) fn fingerprint(digest: &dyn Digest, catalog: &nora_catalog::Catalog, agent: &AgentServers) -> Fingerprint {
    let mut bytes = Vec::new();
    for provider in &agent.selected {
        for feeder in feeders(catalog, &agent.integrations, provider) {
            let Integration { id, updated_at, .. } = &feeder.integration;
            bytes.extend_from_slice(id.as_uuid().as_bytes());
            bytes.extend_from_slice(&updated_at.as_microseconds().to_be_bytes());
            bytes.extend_from_slice(&feeder.secrets_version.to_be_bytes());
        }
        bytes.extend_from_slice(ProviderId::as_str(provider).as_bytes());
        bytes.push(0);
    }
    digest.sha256(&bytes)
}

/// The last look at each agent.
#[derive(Debug, Default)]
pub(crate) struct Looks(Mutex<BTreeMap<AgentId, (Fingerprint, Arc<Look>)>>);

impl Looks {
    pub(crate) fn find(&self, agent: AgentId, fingerprint: &Fingerprint) -> Option<Arc<Look>> {
        let looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, look) = looks.get(&agent)?;
        (at == fingerprint).then(|| Arc::clone(look))
    }

    pub(crate) fn remember(&self, agent: AgentId, fingerprint: Fingerprint, look: &Arc<Look>) {
        let mut looks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= REMEMBERED && !looks.contains_key(&agent) {
            looks.pop_first();
        }
        looks.insert(agent, (fingerprint, Arc::clone(look)));
    }
}
