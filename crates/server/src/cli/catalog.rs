//! `nora catalog`.

use std::sync::Arc;

use nora_catalog::{Catalog, Options};
use nora_kernel::Digest;
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_provider_sdk::{Manifest, Provider};

use crate::cli::commands::CatalogCommand;
use crate::cli::print;
use crate::providers::Providers;
use crate::{StartError, providers};

pub(crate) fn run(command: CatalogCommand, built_in: Vec<Arc<dyn Provider>>) -> Result<(), StartError> {
    match command {
        CatalogCommand::List { providers_dir, markdown } => {
            let catalog = build(providers::with_directory(built_in, providers_dir.as_deref())?)?;
            if markdown {
                print(&table(&catalog));
            } else {
                list(&catalog);
            }
            Ok(())
        }
        CatalogCommand::Check { file } => {
            let mut all = Providers::of(built_in);
            let provider = all.add(&file)?;
            let id = provider.manifest().id().clone();
            build(all.all())?;
            print(&format!("{}: {id} is a good manifest", file.display()));
            Ok(())
        }
    }
}

fn list(catalog: &Catalog) {
    for entry in catalog.entries() {
        let manifest = entry.manifest();
        let auth_type = manifest.auth_type().as_str();
        print(&format!("{:<20} {:<18} {:<18} {}", manifest.id(), manifest.category(), auth_type, manifest.name()));
    }
}

fn table(catalog: &Catalog) -> String {
    let head =
        "| provider | category | credential | test | webhook | MCP server |\n| --- | --- | --- | --- | --- | --- |";
    let rows = catalog.entries().map(|entry| row(entry.manifest()));
    std::iter::once(head.to_owned()).chain(rows).collect::<Vec<_>>().join("\n")
}

fn row(manifest: &Manifest) -> String {
    let yes = |there: bool| if there { "yes" } else { "" };
    let server = manifest.mcp().map_or("", |server| match server.npm_package() {
        "" => "yes",
        package => package,
    });
    format!(
        "| {} (`{}`) | {} | {} | {} | {} | {server} |",
        manifest.name(),
        manifest.id(),
        manifest.category(),
        manifest.auth_type().as_str(),
        how_tested(manifest),
        yes(manifest.webhook().is_some()),
    )
}

/// A provider whose test sends nothing can only be called unverifiable.
fn how_tested(manifest: &Manifest) -> &'static str {
    if manifest.tests_in_code() {
        "code"
    } else if manifest.requests().is_empty() {
        "unverifiable"
    } else {
        "request"
    }
}

fn build(providers: Vec<Arc<dyn Provider>>) -> Result<Catalog, StartError> {
    let options = Options {
        disabled: std::collections::BTreeSet::default(),
        policy: NetworkPolicy::third_parties(Networks::default()),
    };
    Catalog::build(providers, &options, Arc::new(NoDigest))
        .map_err(|error| StartError::because("the catalog is refused", error))
}

/// A listing on a terminal needs no entity tags, and this command no keyring.
struct NoDigest;

impl Digest for NoDigest {
    fn sha256(&self, _bytes: &[u8]) -> [u8; 32] {
        [0; 32]
    }

    fn keyed(&self, _purpose: &'static str, _bytes: &[u8]) -> [u8; 32] {
        [0; 32]
    }
}
