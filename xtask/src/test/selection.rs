//! Which packages a run is about.

use anyhow::{Result, bail};
use cargo_metadata::Package;

use crate::workspace::Workspace;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    Everything,
    Packages(Vec<String>),
}

impl Selection {
    /// The packages called `names`, or all if there are none.
    pub(super) fn new(workspace: &Workspace, names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Ok(Self::Everything);
        }
        if let Some(unknown) = names.iter().find(|name| workspace.package(name).is_none()) {
            let known: Vec<_> = workspace.packages().iter().map(|package| package.name.as_str()).collect();
            bail!("there is no package {unknown}, only {}", known.join(", "));
        }
        Ok(Self::Packages(names.to_vec()))
    }

    pub(super) fn includes(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Packages(names) => names.iter().any(|selected| selected == name),
        }
    }

    /// Those of `packages` that the run is about.
    pub(super) fn of<'a>(&self, packages: &'a [Package]) -> Vec<&'a Package> {
        packages.iter().filter(|package| self.includes(&package.name)).collect()
    }

    /// The same for cargo's command line.
    pub(super) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Everything => vec!["--workspace".to_owned()],
            Self::Packages(names) => names.iter().flat_map(|name| ["--package".to_owned(), name.clone()]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_means_everything() {
        let workspace = Workspace::load().unwrap();
        let selection = Selection::new(&workspace, &[]).unwrap();
        assert_eq!(selection.arguments(), ["--workspace"]);
        assert_eq!(selection.of(workspace.packages()).len(), workspace.packages().len());
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let workspace = Workspace::load().unwrap();
        let error = Selection::new(&workspace, &["no-such-package".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("no-such-package") && error.contains("xtask"), "{error}");
    }

    #[test]
    fn each_name_is_passed_to_cargo() {
        let selection = Selection::Packages(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(selection.arguments(), ["--package", "a", "--package", "b"]);
        assert!(selection.includes("a") && !selection.includes("c"));
    }
}
