//! What the suite of a provider's crate builds when it runs alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Node, PackageId};

/// What nobody who adds a provider should wait for.
const HEAVY: [&str; 4] = ["actix-", "diesel", "libsqlite3-", "nora-store-"];

fn resolved() -> Metadata {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    MetadataCommand::new().manifest_path(manifest).exec().unwrap()
}

/// The names of everything `cargo test -p` of one member builds: its own dependencies of every kind, and of those in
/// turn all but what their own tests need.
fn built<'a>(metadata: &'a Metadata, member: &PackageId) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&PackageId, &Node> =
        metadata.resolve.as_ref().unwrap().nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen: BTreeSet<&PackageId> = BTreeSet::new();
    let mut next: Vec<(&PackageId, bool)> = vec![(member, true)];
    while let Some((id, is_tested)) = next.pop() {
        for dependency in &nodes[id].deps {
            let kinds = dependency.dep_kinds.iter().map(|kind| kind.kind);
            let is_built = kinds.into_iter().any(|kind| is_tested || kind != DependencyKind::Development);
            if is_built && seen.insert(&dependency.pkg) {
                next.push((&dependency.pkg, false));
            }
        }
    }
    seen.into_iter().map(|id| metadata[id].name.as_str()).collect()
}

fn is_provider(name: &str) -> bool {
    let kit = ["nora-provider-sdk", "nora-provider-testkit"];
    !kit.contains(&name) && (name.starts_with("nora-provider-") || name.starts_with("nora-providers-"))
}

#[test]
fn a_providers_suite_builds_no_server_no_database_and_no_other_provider() {
    let metadata = resolved();
    let mut providers = 0;
    for package in metadata.workspace_packages().into_iter().filter(|package| is_provider(&package.name)) {
        providers += 1;
        let built = built(&metadata, &package.id);
        assert!(built.contains("nora-provider-testkit"), "{} has no suite", package.name);
        let too_much = |name: &&&str| is_provider(name) || HEAVY.iter().any(|heavy| name.starts_with(heavy));
        let too_much: Vec<_> = built.iter().filter(too_much).collect();
        assert!(too_much.is_empty(), "{} builds {too_much:?}", package.name);
    }
    assert!(providers >= 8, "{providers} providers were looked at");
}

#[test]
fn a_crate_that_builds_a_server_is_told_apart() {
    let metadata = resolved();
    let server = metadata.workspace_packages().into_iter().find(|package| package.name == "nora-server").unwrap();
    let built = built(&metadata, &server.id);
    for name in ["actix-web", "diesel", "nora-provider-aws"] {
        assert!(built.contains(name), "{name}");
    }
}
