//! This workspace, as cargo describes it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};

pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let metadata = MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .context("cargo cannot describe the workspace")?;
        Ok(Self { metadata })
    }

    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// A folder for what tasks make, which cargo does not touch.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target().join("xtask")
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    pub(crate) fn packages(&self) -> &[Package] {
        &self.metadata.packages
    }

    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages().iter().find(|package| package.name == name)
    }
}

/// The folder that holds `package`'s manifest.
pub(crate) fn folder(package: &Package) -> &Path {
    package.manifest_path.parent().map_or(Path::new("."), |folder| folder.as_std_path())
}

/// Whether other crates can depend on `package`, which is also what makes doc tests possible.
pub(crate) fn is_library(package: &Package) -> bool {
    package.targets.iter().any(|target| target.is_kind(TargetKind::Lib))
}
