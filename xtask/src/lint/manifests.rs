//! What each crate's manifest and README must look like, so that nothing is said twice and no crate goes unexplained.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use cargo_metadata::{Package, TargetKind};
use toml::{Table, Value};

use crate::workspace::{self, Workspace};

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];
const DEPENDENCIES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Makes the README the crate's documentation.
const INCLUDE: &str = "#![doc = include_str!(\"../README.md\")]";

/// Every way in which a crate breaks the rules, one sentence each. Layers are `crate::layers`' business.
pub(super) fn violations(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let mut manifests = Vec::new();
    for package in workspace.packages() {
        let manifest = read(package.manifest_path.as_std_path())?;
        let found = [of_manifest(&manifest), of_package(workspace.root(), package)].concat();
        violations.extend(found.into_iter().map(|violation| format!("{}: {violation}", package.name)));
        manifests.push(manifest);
    }
    let root = read(&workspace.root().join("Cargo.toml"))?;
    violations.extend(unused(&root, &manifests).into_iter().map(|name| format!("Cargo.toml: no crate uses {name}")));
    Ok(violations)
}

fn read(path: &Path) -> Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse().with_context(|| format!("cannot read {}", path.display()))
}

/// What the workspace declares for its members and none of them takes.
fn unused<'a>(root: &'a Table, members: &[Table]) -> Vec<&'a str> {
    let declared = root.get("workspace").and_then(|workspace| workspace.get("dependencies")).and_then(Value::as_table);
    let is_used = |name: &str| members.iter().flat_map(all_dependencies).any(|(used, _)| used == name);
    declared.into_iter().flatten().map(|(name, _)| name.as_str()).filter(|name| !is_used(name)).collect()
}

fn of_package(root: &Path, package: &Package) -> Vec<String> {
    let mut violations = of_readme(package);
    violations.extend(of_name(root, package));
    violations.extend(of_targets(package));
    violations
}

fn of_manifest(manifest: &Table) -> Vec<String> {
    let mut violations = Vec::new();
    if !manifest.get("lints").is_some_and(is_inherited) {
        violations.push("its manifest lacks `[lints] workspace = true`".to_owned());
    }
    let package = manifest.get("package").and_then(Value::as_table);
    for key in INHERITED {
        if !package.and_then(|package| package.get(key)).is_some_and(is_inherited) {
            violations.push(format!("its manifest lacks `{key}.workspace = true`"));
        }
    }
    let own = all_dependencies(manifest).filter(|(_, value)| !is_inherited(value));
    violations.extend(own.map(|(name, _)| format!("its dependency {name} is not `workspace = true`")));
    violations
}

/// Of every kind, and for every platform.
fn all_dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let platforms = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = std::iter::once(manifest).chain(platforms.filter_map(Value::as_table));
    tables.flat_map(|table| DEPENDENCIES.iter().filter_map(|key| table.get(*key)?.as_table())).flatten()
}

fn is_inherited(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

fn of_name(root: &Path, package: &Package) -> Option<String> {
    let folder = workspace::folder(package).strip_prefix(root.join("crates")).ok()?;
    let expected = format!("nora-{}", folder.display());
    (package.name != expected).then(|| format!("its folder wants the name {expected}"))
}

/// Each integration test file is a program to link; one with modules does the same. One that wants a feature is linked
/// only when it is asked for.
fn of_targets(package: &Package) -> Option<String> {
    let everyday = package.targets.iter().filter(|target| target.required_features.is_empty());
    let tests = everyday.filter(|target| target.is_kind(TargetKind::Test)).count();
    (tests > 1).then(|| format!("it has {tests} integration test binaries: make them modules of tests/it/main.rs"))
}

fn of_readme(package: &Package) -> Vec<String> {
    let Ok(readme) = fs::read_to_string(workspace::folder(package).join("README.md")) else {
        return vec!["it has no README.md".to_owned()];
    };
    let mut violations = Vec::new();
    if !names(&readme, &package.name) {
        violations.push(format!("its README.md does not begin with the heading `# {}`", package.name));
    }
    if let Some(source) = documented_source(package)
        && !fs::read_to_string(&source).is_ok_and(|text| text.contains(INCLUDE))
    {
        violations.push(format!("{} lacks `{INCLUDE}`", source.display()));
    }
    violations
}

fn names(readme: &str, package: &str) -> bool {
    let heading = readme.lines().next().and_then(|line| line.strip_prefix("# "));
    heading.is_some_and(|heading| heading.trim().trim_matches('`') == package)
}

/// The file whose documentation is the crate's; a package of nothing but tests has none.
fn documented_source(package: &Package) -> Option<std::path::PathBuf> {
    let of_kind = |kind: TargetKind| package.targets.iter().find(|target| target.is_kind(kind.clone()));
    let target = of_kind(TargetKind::Lib).or_else(|| of_kind(TargetKind::Bin))?;
    Some(target.src_path.clone().into_std_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
[package]
name = 'nora-example'
version.workspace = true
edition.workspace = true
rust-version.workspace = true
license.workspace = true
publish.workspace = true

[dependencies]
serde.workspace = true
tokio = { workspace = true, features = ['time'] }

[lints]
workspace = true
";

    fn check(manifest: &str, expected: &[&str]) {
        assert_eq!(of_manifest(&manifest.parse().unwrap()), expected);
    }

    #[test]
    fn a_manifest_that_inherits_everything_is_accepted() {
        check(GOOD, &[]);
    }

    #[test]
    fn lints_must_be_inherited() {
        check(&GOOD.replace("[lints]\nworkspace = true", ""), &["its manifest lacks `[lints] workspace = true`"]);
    }

    #[test]
    fn package_keys_must_be_inherited() {
        let manifest = GOOD.replace("edition.workspace = true", "edition = '2021'");
        check(&manifest, &["its manifest lacks `edition.workspace = true`"]);
    }

    #[test]
    fn dependencies_of_every_kind_must_be_inherited() {
        let manifest = format!(
            "{GOOD}\n[dev-dependencies]\nhex = '0.4'\n[build-dependencies]\ncc = {{ version = '1' }}\n\
             [target.'cfg(unix)'.dependencies]\nlibc = '0.2'\n"
        );
        let violation = |name| format!("its dependency {name} is not `workspace = true`");
        assert_eq!(of_manifest(&manifest.parse().unwrap()), ["hex", "cc", "libc"].map(violation));
    }

    #[test]
    fn what_no_member_takes_is_unused() {
        let root = "workspace.dependencies = { serde = '1', hex = '0.4', tokio = '1' }".parse().unwrap();
        let member = GOOD.replace("serde.workspace = true", "[dev-dependencies]\nserde.workspace = true");
        assert_eq!(unused(&root, &[member.parse().unwrap()]), ["hex"]);
    }

    #[test]
    fn the_readme_begins_with_the_name() {
        assert!(names("# nora-kernel\n\ntext", "nora-kernel"));
        assert!(names("# `nora-kernel`\n", "nora-kernel"));
        assert!(!names("# The kernel\n", "nora-kernel"));
        assert!(!names("", "nora-kernel"));
    }
}
