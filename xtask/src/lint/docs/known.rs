//! What exists, to hold claims against.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Command, CommandFactory};

use super::claims::Claim;
use super::server_commands;
use crate::cli::Cli;
use crate::workspace::Workspace;

/// Folders whose files are nobody's source.
const NOT_SEARCHED: [&str; 3] = [".git", "node_modules", "target"];

pub(super) struct Known {
    root: PathBuf,
    packages: BTreeSet<String>,
    file_names: BTreeSet<String>,
    tasks: Command,
    server_commands: BTreeSet<String>,
}

impl Known {
    pub(super) fn load(workspace: &Workspace) -> Result<Self> {
        let mut file_names = BTreeSet::new();
        add_file_names(workspace.root(), &mut file_names);
        Ok(Self {
            root: workspace.root().to_owned(),
            packages: workspace.packages().iter().map(|package| package.name.to_string()).collect(),
            file_names,
            tasks: Cli::command(),
            server_commands: server_commands::read(workspace.root())?,
        })
    }

    /// What is wrong with `claim`, made by a document in `folder`.
    pub(super) fn objection(&self, claim: &Claim, folder: &Path) -> Option<String> {
        match claim {
            Claim::Path(path) if exists(folder, path) || exists(&self.root, path) => None,
            Claim::Path(path) => Some(format!("there is no {path}")),
            Claim::Link(path) => (!exists(folder, path)).then(|| format!("there is no {path} to link to")),
            Claim::FileName(name) => (!self.file_names.contains(name)).then(|| format!("no file is called {name}")),
            Claim::Package(name) => (!self.packages.contains(name)).then(|| format!("there is no package {name}")),
            Claim::CrateFolder(name) => {
                (!self.root.join("crates").join(name).is_dir()).then(|| format!("there is no crates/{name}"))
            }
            Claim::Task { name, flags } => self.task_objection(name, flags),
            Claim::ServerCommand(name) => {
                (!self.server_commands.contains(name)).then(|| format!("there is no command `nora {name}`"))
            }
        }
    }

    fn task_objection(&self, name: &str, flags: &[String]) -> Option<String> {
        let Some(task) = self.tasks.find_subcommand(name) else {
            return Some(format!("there is no command `cargo xtask {name}`"));
        };
        let has = |flag: &str| flag == "help" || task.get_arguments().any(|known| known.get_long() == Some(flag));
        let unknown = flags.iter().find(|flag| !has(flag))?;
        Some(format!("`cargo xtask {name}` has no flag --{unknown}"))
    }
}

/// Whether something in `base` fits `pattern`.
fn exists(base: &Path, pattern: &str) -> bool {
    let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty() && *segment != ".").collect();
    fits(base, &segments)
}

fn fits(base: &Path, segments: &[&str]) -> bool {
    match segments {
        [] => base.exists(),
        ["**", rest @ ..] => fits(base, rest) || children(base).any(|child| child.is_dir() && fits(&child, segments)),
        [segment, rest @ ..] if base.join(segment).exists() => fits(&base.join(segment), rest),
        [segment, rest @ ..] => {
            let parts = around_placeholders(segment);
            parts.len() > 1
                && children(base).any(|child| {
                    let name = child.file_name().unwrap_or_default().to_string_lossy();
                    name_fits(&parts, &name) && fits(&child, rest)
                })
        }
    }
}

/// The fixed parts of a segment: `provider-<name>.rs` is `provider-` and `.rs`.
fn around_placeholders(segment: &str) -> Vec<String> {
    let mut text = segment.replace("NAME", "*");
    for (open, close) in [('<', '>'), ('{', '}')] {
        while let Some((before, rest)) = text.split_once(open)
            && let Some((_, after)) = rest.split_once(close)
        {
            text = format!("{before}*{after}");
        }
    }
    text.split('*').map(str::to_owned).collect()
}

fn name_fits(parts: &[String], name: &str) -> bool {
    let [first, middle @ .., last] = parts else { return false };
    let Some(rest) = name.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
        return false;
    };
    let after = |rest: Option<&str>, part: &String| rest?.split_once(part.as_str()).map(|(_, after)| after.len());
    let mut rest = Some(rest);
    for part in middle {
        let length = after(rest, part);
        rest = rest.zip(length).and_then(|(rest, length)| rest.get(rest.len() - length..));
    }
    rest.is_some()
}

fn children(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn add_file_names(folder: &Path, names: &mut BTreeSet<String>) {
    for path in children(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_symlink() || NOT_SEARCHED.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            add_file_names(&path, names);
        } else {
            names.insert(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known::load(&Workspace::load().unwrap()).unwrap()
    }

    fn check(claim: &Claim, expected: Option<&str>) {
        let known = known();
        assert_eq!(known.objection(claim, &known.root).as_deref(), expected, "{claim:?}");
    }

    fn task(name: &str, flags: &[&str]) -> Claim {
        Claim::Task { name: name.to_owned(), flags: flags.iter().map(ToString::to_string).collect() }
    }

    #[test]
    fn paths_from_the_root_and_from_the_document() {
        let known = known();
        let claim = Claim::Path("src/main.rs".to_owned());
        assert_eq!(known.objection(&claim, &known.root.join("xtask")), None);
        assert_eq!(known.objection(&claim, &known.root), Some("there is no src/main.rs".to_owned()));
        check(&Claim::Path("xtask/src/main.rs".to_owned()), None);
    }

    #[test]
    fn placeholders_stand_for_anything_that_exists() {
        for path in ["xtask/*/main.rs", "<tool>/src/main.rs", "xtask/src/NAME.rs", "xtask/**/claims.rs", "x{rest}/src/"]
        {
            check(&Claim::Path(path.to_owned()), None);
        }
        check(&Claim::Path("xtask/*/gone.rs".to_owned()), Some("there is no xtask/*/gone.rs"));
    }

    #[test]
    fn a_name_with_several_placeholders() {
        let parts = around_placeholders("a*-<b>.rs");
        assert!(name_fits(&parts, "abc-d.rs"));
        assert!(!name_fits(&parts, "abc.rs"));
    }

    #[test]
    fn file_names_and_packages() {
        check(&Claim::FileName("known.rs".to_owned()), None);
        check(&Claim::FileName("forgotten.rs".to_owned()), Some("no file is called forgotten.rs"));
        check(&Claim::Package("xtask".to_owned()), None);
        check(&Claim::Package("nora-gone".to_owned()), Some("there is no package nora-gone"));
        check(&Claim::CrateFolder("store-gone".to_owned()), Some("there is no crates/store-gone"));
    }

    #[test]
    fn tasks_and_their_flags() {
        check(&task("codegen", &["check"]), None);
        check(&task("tidy", &[]), Some("there is no command `cargo xtask tidy`"));
        check(&task("lint", &["fix"]), Some("`cargo xtask lint` has no flag --fix"));
    }

    #[test]
    fn links_are_relative_to_the_document() {
        let known = known();
        let claim = Claim::Link("xtask/Cargo.toml".to_owned());
        assert_eq!(known.objection(&claim, &known.root), None);
        assert!(known.objection(&claim, &known.root.join("xtask")).is_some());
    }
}
