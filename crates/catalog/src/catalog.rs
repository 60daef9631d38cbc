//! The catalog itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use nora_kernel::address::NetworkPolicy;
use nora_kernel::{Digest, ProviderId};
use nora_provider_sdk::Provider;

use crate::Entry;
use crate::listing::{self, Filter, Listing};

/// Why a catalog cannot be built. Nothing starts with half a catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Two providers have one id.
    #[error("there are two providers with the id {0}")]
    DuplicateId(ProviderId),
    /// A schema is no valid JSON Schema of draft 2020-12, or refers outside itself.
    #[error("the config schema of {provider} is not valid: {reason}")]
    InvalidSchema {
        /// Whose schema.
        provider: ProviderId,
        /// What is wrong with it.
        reason: String,
    },
}

/// What an installation decides about its catalog.
#[derive(Debug, Clone)]
pub struct Options {
    /// Providers that are shown but cannot be connected here.
    pub disabled: BTreeSet<ProviderId>,
    /// Where credentials may be sent.
    pub policy: NetworkPolicy,
}

/// Every provider of this process.
pub struct Catalog {
    entries: BTreeMap<ProviderId, Arc<Entry>>,
    everything: Listing,
    by_category: BTreeMap<String, Listing>,
    nothing: Listing,
    digest: Arc<dyn Digest>,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Catalog").field("providers", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Catalog {
    /// Builds the catalog, checks every provider and serialises every listing that needs no search.
    pub fn build(
        providers: impl IntoIterator<Item = Arc<dyn Provider>>,
        options: &Options,
        digest: Arc<dyn Digest>,
    ) -> Result<Self, CatalogError> {
        let mut entries = BTreeMap::new();
        for provider in providers {
            let entry = Arc::new(Entry::build(provider, options, digest.as_ref())?);
            let id = entry.manifest().id().clone();
            if entries.insert(id.clone(), entry).is_some() {
                return Err(CatalogError::DuplicateId(id));
            }
        }
        let sorted = listing::sorted(entries.values());
        let everything = Listing::of(&sorted, digest.as_ref());
        let by_category = listing::by_category(&sorted, digest.as_ref());
        let nothing = Listing::of(&[], digest.as_ref());
        Ok(Self { entries, everything, by_category, nothing, digest })
    }

    /// The provider with this id.
    pub fn entry(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.get(id)
    }

    /// Every provider, by id.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    /// The JSON array of the providers a filter lets through, by category and then name.
    ///
    /// Filters by nothing or by category alone cost a look-up; a search costs a pass over the catalog.
    pub fn list(&self, filter: &Filter<'_>) -> Listing {
        match filter {
            Filter { category: None, text: None, auth_type: None } => self.everything.clone(),
            Filter { category: Some(category), text: None, auth_type: None } => {
                self.by_category.get(*category).unwrap_or(&self.nothing).clone()
            }
            filter => self.search(filter),
        }
    }

    fn search(&self, filter: &Filter<'_>) -> Listing {
        let found: Vec<_> = self.entries.values().filter(|entry| filter.admits(entry)).collect();
        Listing::of(&listing::sorted(found), self.digest.as_ref())
    }
}
