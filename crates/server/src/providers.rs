//! Which providers this binary has, and those a directory adds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::FutureExt as _;
use nora_kernel::ProviderId;
use nora_provider_sdk::{Manifest, ManifestError, Mismatch, Provider};

use crate::StartError;

/// Every provider this crate was built with: the manifests, and each code provider whose feature is on.
pub(crate) fn standard() -> Result<Vec<Arc<dyn Provider>>, StartError> {
    let refused = |error| StartError::because("a built-in provider manifest is not valid", error);
    let mut providers = nora_providers_standard::all().map_err(refused)?;
    providers.extend(in_code().map_err(refused)?);
    Ok(providers)
}

fn in_code() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    let crates: Vec<Vec<Arc<dyn Provider>>> = vec![
        #[cfg(feature = "provider-aws")]
        nora_provider_aws::providers()?,
        #[cfg(feature = "provider-google")]
        nora_provider_google::providers()?,
        #[cfg(feature = "provider-kubernetes")]
        vec![nora_provider_kubernetes::provider()?],
        #[cfg(feature = "provider-mongodb")]
        vec![nora_provider_mongodb::provider()?],
        #[cfg(feature = "provider-postgresql")]
        vec![nora_provider_postgresql::provider()?],
        #[cfg(feature = "provider-redis")]
        vec![nora_provider_redis::provider()?],
        #[cfg(feature = "provider-smtp")]
        vec![nora_provider_smtp::provider()?],
    ];
    Ok(crates.into_iter().flatten().collect())
}

/// Adds the manifests of a directory.
pub(crate) fn with_directory(
    built_in: Vec<Arc<dyn Provider>>,
    directory: Option<&Path>,
) -> Result<Vec<Arc<dyn Provider>>, StartError> {
    let mut providers = Providers::of(built_in);
    let Some(directory) = directory else { return Ok(providers.all()) };
    let name = "--providers-dir (NORA_PROVIDERS_DIR)";
    let listed = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| StartError::because(format!("{name} cannot be read"), error))?;
    let mut files: Vec<_> = listed.into_iter().map(|entry| entry.path()).filter(|path| is_manifest(path)).collect();
    files.sort();
    for file in files {
        providers.add(&file)?;
    }
    Ok(providers.all())
}

/// The built-in providers, and the files that were added to them.
pub(crate) struct Providers {
    built_in: BTreeMap<ProviderId, Arc<dyn Provider>>,
    added: BTreeMap<ProviderId, (PathBuf, Arc<dyn Provider>)>,
    /// Built-in ones that have no id of their own; the catalog refuses them.
    surplus: Vec<Arc<dyn Provider>>,
}

impl Providers {
    pub(crate) fn of(providers: Vec<Arc<dyn Provider>>) -> Self {
        let (mut built_in, mut surplus) = (BTreeMap::new(), Vec::new());
        for provider in providers {
            surplus.extend(built_in.insert(provider.manifest().id().clone(), provider));
        }
        Self { built_in, added: BTreeMap::new(), surplus }
    }

    /// Reads and checks one manifest file, tries it with the answers recorded in it, and adds its provider. It may take
    /// a built-in provider's place if it says so.
    pub(crate) fn add(&mut self, file: &Path) -> Result<Arc<dyn Provider>, StartError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file)
            .map_err(|error| StartError::because(format!("{name} cannot be read"), error))?;
        let refused = |error| StartError::because("the manifest is refused", error);
        let provider: Arc<dyn Provider> =
            Arc::new(nora_provider_sdk::Declarative::parse(&name, &text).map_err(refused)?);
        self.check_id(provider.manifest()).map_err(|reason| refused(ManifestError::about_id(&name, &text, reason)))?;
        if let Some(mismatch) = rehearse(&*provider)?.first() {
            return Err(refused(ManifestError::about_case(&name, &text, mismatch)));
        }
        let id = provider.manifest().id().clone();
        self.added.insert(id, (file.to_owned(), Arc::clone(&provider)));
        Ok(provider)
    }

    fn check_id(&self, manifest: &Manifest) -> Result<(), String> {
        let id = manifest.id();
        if let Some((file, _)) = self.added.get(id) {
            return Err(format!("{} has a provider with the id `{id}` already", file.display()));
        }
        match (self.built_in.contains_key(id), manifest.replaces_built_in()) {
            (true, false) => Err(format!(
                "there is a built-in provider with the id `{id}`; choose another, or write `replaces_built_in = true`"
            )),
            (false, true) => Err(format!("`replaces_built_in` is set, and there is no built-in provider `{id}`")),
            (true, true) | (false, false) => Ok(()),
        }
    }

    /// Every provider, each id once unless the built-in ones repeat it.
    pub(crate) fn all(mut self) -> Vec<Arc<dyn Provider>> {
        self.built_in.retain(|id, _| !self.added.contains_key(id));
        let added = self.added.into_values().map(|(_, provider)| provider);
        self.built_in.into_values().chain(self.surplus).chain(added).collect()
    }
}

/// Recorded answers are there at once, so nothing is waited for.
fn rehearse(provider: &dyn Provider) -> Result<Vec<Mismatch>, StartError> {
    let mismatches = nora_provider_sdk::rehearse(provider).now_or_never();
    mismatches.ok_or_else(|| StartError::new("the manifest is refused: its cases wait for something"))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACME: &str = r#"
name = "Acme"
category = "productivity"
description = "Reads and writes Acme tasks."
docs_url = "https://developers.acme.example/rest"
auth_type = "token"

[[fields]]
name = "api_token"
title = "API token"
env = "ACME_API_TOKEN"

[test]
url = "https://api.acme.example/v1/me"
headers = { Authorization = "Bearer {api_token}" }
success = { json = { pointer = "/id", exists = true } }
"#;

    fn built_in(id: &str) -> Arc<dyn Provider> {
        Arc::new(nora_provider_sdk::Declarative::parse("built-in.toml", &format!("id = \"{id}\"\n{ACME}")).unwrap())
    }

    /// The names of the providers, or the refusal, of a directory with these files beside built-in `slack`.
    fn with(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, head) in files {
            std::fs::write(directory.path().join(name), format!("{head}\n{ACME}")).unwrap();
        }
        let providers = with_directory(vec![built_in("slack")], Some(directory.path()));
        let providers = providers.map_err(|error| {
            let first: &dyn std::error::Error = &error;
            let sources = std::iter::successors(Some(first), |error| error.source());
            let text = sources.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            text.replace(&format!("{}/", directory.path().display()), "")
        })?;
        let of = |provider: &Arc<dyn Provider>| {
            let replaced = if provider.manifest().replaces_built_in() { " (replaced)" } else { "" };
            format!("{}{replaced}", provider.manifest().id())
        };
        Ok(providers.iter().map(of).collect())
    }

    #[test]
    fn a_file_adds_a_provider() {
        assert_eq!(with(&[("acme.toml", "id = \"acme\"")]).unwrap(), ["slack", "acme"]);
    }

    #[test]
    fn a_built_in_id_is_taken_by_a_file_that_says_so() {
        let replaced = with(&[("slack.toml", "id = \"slack\"\nreplaces_built_in = true")]);
        assert_eq!(replaced.unwrap(), ["slack (replaced)"]);
    }

    #[test]
    fn a_file_that_does_not_say_so_is_refused_with_its_place() {
        let refusal = with(&[("slack.toml", "\nid = \"slack\"")]).unwrap_err();
        assert!(refusal.contains("slack.toml:2:6: there is a built-in provider with the id `slack`"), "{refusal}");
    }

    #[test]
    fn what_is_not_there_cannot_be_replaced() {
        let refusal = with(&[("acme.toml", "replaces_built_in = true\nid = \"acme\"")]).unwrap_err();
        assert!(refusal.contains("acme.toml:2:6: `replaces_built_in` is set"), "{refusal}");
    }

    #[test]
    fn two_files_have_two_ids() {
        for head in ["id = \"acme\"", "id = \"slack\"\nreplaces_built_in = true"] {
            let refusal = with(&[("one.toml", head), ("two.toml", head)]).unwrap_err();
            assert!(refusal.contains("two.toml:1:6: one.toml has a provider with the id"), "{refusal}");
        }
    }

    #[test]
    fn two_built_in_ones_with_one_id_are_the_catalogs_to_refuse() {
        let both = with_directory(vec![built_in("slack"), built_in("slack")], None).unwrap();
        assert_eq!(both.len(), 2);
    }
}
