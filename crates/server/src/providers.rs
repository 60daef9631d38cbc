//! Which providers this binary has, and those a directory adds.

use std::path::Path;
use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider};

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
        vec![Arc::new(nora_provider_kubernetes::Kubernetes::new()?)],
        #[cfg(feature = "provider-mongodb")]
        vec![Arc::new(nora_provider_mongodb::Mongodb::new()?)],
        #[cfg(feature = "provider-postgresql")]
        vec![Arc::new(nora_provider_postgresql::Postgresql::new()?)],
        #[cfg(feature = "provider-redis")]
        vec![Arc::new(nora_provider_redis::Redis::new()?)],
        #[cfg(feature = "provider-smtp")]
        vec![Arc::new(nora_provider_smtp::Smtp::new()?)],
    ];
    Ok(crates.into_iter().flatten().collect())
}

/// Adds the manifests of a directory. One of them may not take a built-in provider's id.
pub(crate) fn with_directory(
    mut providers: Vec<Arc<dyn Provider>>,
    directory: Option<&Path>,
) -> Result<Vec<Arc<dyn Provider>>, StartError> {
    let Some(directory) = directory else { return Ok(providers) };
    let name = "--providers-dir (NORA_PROVIDERS_DIR)";
    let listed = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let listed = listed.map_err(|error| StartError::because(format!("{name} cannot be read"), error))?;
    let mut files: Vec<_> = listed.into_iter().map(|entry| entry.path()).filter(|path| is_manifest(path)).collect();
    files.sort();
    for file in files {
        let provider = read(&file)?;
        let id = provider.manifest().id().clone();
        if providers.iter().any(|known| *known.manifest().id() == id) {
            return Err(StartError::new(format!("{}: there is a provider with the id {id} already", file.display())));
        }
        providers.push(provider);
    }
    Ok(providers)
}

/// Reads and checks one manifest file.
pub(crate) fn read(file: &Path) -> Result<Arc<dyn Provider>, StartError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| StartError::because(format!("{} cannot be read", file.display()), error))?;
    let provider = nora_provider_sdk::Declarative::parse(&file.display().to_string(), &text)
        .map_err(|error| StartError::because("the manifest is refused", error))?;
    Ok(Arc::new(provider))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}
