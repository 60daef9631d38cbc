//! From an agent's integrations to what its runtime should have.

use std::collections::BTreeMap;

use nora_catalog::Catalog;
use nora_kernel::{EnvName, IntegrationId, Secret, SecretMap};
use nora_provider_sdk::{Connection, Manifest};

use crate::ports::PushedIntegration;
use crate::{Integration, Status};

/// A variable that two integrations want. The older one keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The variable.
    pub name: EnvName,
    /// Who keeps it.
    pub owner: IntegrationId,
    /// Who goes without.
    pub loser: IntegrationId,
}

/// What a runtime should have.
#[derive(Debug, Default)]
pub struct Assembly {
    /// The integrations, oldest first.
    pub integrations: Vec<PushedIntegration>,
    /// The environment, by name.
    pub env: Vec<(EnvName, Secret)>,
    /// Credentials of the environment that travel in HTTP headers and nowhere else, with the hosts they are sent to.
    pub header_hosts: BTreeMap<EnvName, Vec<String>>,
    /// Variables that two integrations want.
    pub conflicts: Vec<Conflict>,
}

/// Puts together what an agent's runtime should have from its integrations, oldest first, with their secrets.
///
/// Integrations that are not active are left out.
pub fn assemble(catalog: &Catalog, integrations: &[(Integration, SecretMap)]) -> Assembly {
    let mut assembly = Assembly::default();
    let mut env: BTreeMap<EnvName, (IntegrationId, Secret)> = BTreeMap::new();
    for (integration, secrets) in integrations {
        if integration.status(catalog) != Status::Active {
            continue;
        }
        let Some(entry) = catalog.entry(integration.provider.as_str()) else { continue };
        let connection = Connection::new(entry.manifest(), &integration.config, secrets);
        for (name, value) in connection.variables(&integration.label) {
            if let Some((owner, _)) = env.get(&name) {
                assembly.conflicts.push(Conflict { name, owner: *owner, loser: integration.id });
            } else {
                env.insert(name, (integration.id, value));
            }
        }
        let owned = |(name, _): &(EnvName, _)| env.get(name).is_some_and(|(owner, _)| *owner == integration.id);
        assembly.header_hosts.extend(connection.header_hosts(&integration.label).into_iter().filter(owned));
        assembly.integrations.push(pushed(entry.manifest(), integration));
    }
    assembly.env = env.into_iter().map(|(name, (_, value))| (name, value)).collect();
    assembly
}

fn pushed(manifest: &Manifest, integration: &Integration) -> PushedIntegration {
    PushedIntegration {
        id: integration.id,
        provider: integration.provider.clone(),
        name: manifest.name().to_owned(),
        category: manifest.category().to_owned(),
        auth_type: manifest.auth_type().as_str(),
        label: integration.label.clone(),
        config: integration.config.clone(),
        secret_fields: integration.secret_fields.clone(),
        capabilities: manifest.capabilities().to_vec(),
    }
}

/// The variables an integration sets, known without opening its secrets.
pub fn variable_names(manifest: &Manifest, integration: &Integration) -> Vec<EnvName> {
    let without_secrets = SecretMap::new();
    let public = Connection::new(manifest, &integration.config, &without_secrets).variables(&integration.label);
    let secret = integration.secret_fields.iter().filter_map(|field| {
        let variable = manifest.field(field.as_str())?.env.as_ref()?;
        variable.labelled(&integration.label)
    });
    secret.chain(public.into_iter().map(|(name, _)| name)).collect()
}
