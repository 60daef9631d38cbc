//! The subcommands of `nora`, read from its source: building the server to ask it would make every lint wait for that.
//!
//! They are the variants of each enum in crates/server/src/cli (or cli.rs) that derives clap's `Subcommand`, under
//! their kebab-case names or the `name = "..."` of the attribute above. Rustfmt has seen to the form of the lines.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

const SOURCES: [&str; 2] = ["crates/server/src/cli.rs", "crates/server/src/cli"];

pub(super) fn read(root: &Path) -> Result<BTreeSet<String>> {
    let mut commands = BTreeSet::new();
    for source in SOURCES {
        add(&root.join(source), &mut commands).with_context(|| format!("cannot read {source}"))?;
    }
    Ok(commands)
}

fn add(path: &Path, commands: &mut BTreeSet<String>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            add(&entry?.path(), commands)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") && path.exists() {
        commands.extend(commands_in(&fs::read_to_string(path)?));
    }
    Ok(())
}

fn commands_in(source: &str) -> Vec<String> {
    let mut commands = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("#[derive(") && line.contains("Subcommand") {
            let body = lines.by_ref().skip_while(|line| !line.contains("enum ")).skip(1);
            commands.extend(variants(body.take_while(|line| *line != "}")));
        }
    }
    commands
}

/// A variant stands one level in and begins with a capital; what belongs to it stands deeper.
fn variants<'a>(body: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut variants = Vec::new();
    let mut given_name = None;
    for line in body {
        let Some(line) = line.strip_prefix("    ") else { continue };
        if line.starts_with("#[") {
            given_name = name_in(line).or(given_name);
        } else if line.starts_with(|first: char| first.is_ascii_uppercase()) {
            let end = line.find(|character: char| !character.is_alphanumeric()).unwrap_or(line.len());
            let variant = line.get(..end).unwrap_or(line);
            variants.push(given_name.take().unwrap_or_else(|| kebab_case(variant)));
        }
    }
    variants
}

fn name_in(attribute: &str) -> Option<String> {
    let (name, _) = attribute.split_once("name = \"")?.1.split_once('"')?;
    Some(name.to_owned())
}

fn kebab_case(variant: &str) -> String {
    let mut name = String::new();
    for character in variant.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
#[derive(Debug, Parser)]
pub struct Cli {
    Name: u8,
}

#[derive(Debug, Subcommand)]
#[command(about = "x")]
pub enum Command {
    /// Serve the API
    Serve(ServeArguments),
    RotateKeys {
        Old: String,
    },
    #[command(name = "openapi")]
    OpenApi,
    Migrate,
}

#[derive(Debug)]
enum Other {
    NotACommand,
}
"#;

    #[test]
    fn the_variants_of_the_enum_are_the_commands() {
        assert_eq!(commands_in(SOURCE), ["serve", "rotate-keys", "openapi", "migrate"]);
    }

    #[test]
    fn a_folder_is_searched_whole() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("crates/server/src/cli/keys");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("create.rs"), "#[derive(Subcommand)]\nenum Keys {\n    Create,\n}\n").unwrap();
        assert_eq!(read(root.path()).unwrap(), BTreeSet::from(["create".to_owned()]));
    }

    #[test]
    fn without_a_server_there_are_no_commands() {
        let root = tempfile::tempdir().unwrap();
        assert!(read(root.path()).unwrap().is_empty());
    }
}
