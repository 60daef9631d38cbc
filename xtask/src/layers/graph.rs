//! The workspace's dependencies, reduced to what the layer rules speak of.

use cargo_metadata::{Dependency, DependencyKind, Package};

/// The crates of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(super) crates: Vec<Crate>,
}

#[derive(Debug, Clone)]
pub(super) struct Crate {
    /// The package's name.
    pub(super) name: String,
    /// As declared in its manifest.
    pub(super) layer: Option<String>,
    pub(super) edges: Vec<Edge>,
}

#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// The package depended on.
    pub(super) to: String,
    pub(super) kind: Kind,
    /// Whether `to` is in this workspace.
    pub(super) internal: bool,
    pub(super) features: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Dev,
    Build,
}

impl Graph {
    pub(crate) fn new(packages: &[Package]) -> Self {
        Self { crates: packages.iter().map(Crate::new).collect() }
    }
}

impl Crate {
    fn new(package: &Package) -> Self {
        let layer = package.metadata.pointer("/architecture/layer").and_then(|layer| layer.as_str());
        Self {
            name: package.name.to_string(),
            layer: layer.map(str::to_owned),
            edges: package.dependencies.iter().map(Edge::new).collect(),
        }
    }
}

impl Edge {
    fn new(dependency: &Dependency) -> Self {
        Self {
            to: dependency.name.clone(),
            kind: match dependency.kind {
                DependencyKind::Development => Kind::Dev,
                DependencyKind::Build => Kind::Build,
                _ => Kind::Normal,
            },
            internal: dependency.path.is_some(),
            features: dependency.features.clone(),
        }
    }
}

/// The crate's folder, by which the rules know it.
pub(super) fn folder(package: &str) -> &str {
    package.strip_prefix("nora-").unwrap_or(package)
}
