//! Which integration feeds which server.

use std::collections::BTreeSet;

use nora_catalog::{Catalog, Entry};
use nora_integrations::{Status, StoredIntegration};
use nora_kernel::ProviderId;

/// The providers that have a server and at least one integration that can be used.
pub(crate) fn connected<'a>(catalog: &Catalog, integrations: &'a [StoredIntegration]) -> BTreeSet<&'a ProviderId> {
    let active = integrations.iter().filter(|stored| stored.integration.status(catalog) == Status::Active);
    active.map(|stored| &stored.integration.provider).collect()
}

/// The provider, if it has a server.
pub(crate) fn supported<'a>(catalog: &'a Catalog, provider: &ProviderId) -> Option<&'a Entry> {
    let entry = catalog.entry(provider.as_str())?;
    entry.manifest().mcp().is_some().then_some(entry.as_ref())
}

/// The integrations that can feed a provider's server, out of an agent's, oldest first. The first one does: the
/// default one, else the oldest.
pub(crate) fn feeders<'a>(
    catalog: &Catalog,
    integrations: &'a [StoredIntegration],
    provider: &ProviderId,
) -> Vec<&'a StoredIntegration> {
    let usable = |stored: &&StoredIntegration| {
        stored.integration.provider == *provider && stored.integration.status(catalog) == Status::Active
    };
    let mut feeders: Vec<_> = integrations.iter().filter(usable).collect();
    feeders.sort_by_key(|stored| !stored.integration.label.is_default());
    feeders
}
