//! `cargo xtask new-provider`: the files of a provider that compile at once and whose suite fails until they are filled
//! in.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::Verdict;
use crate::cli::NewProviderArguments;
use crate::workspace::Workspace;

const MANIFEST: &str = include_str!("../assets/provider.toml");
const CARGO: &str = include_str!("../assets/provider-crate.toml");
const LIB: &str = include_str!("../assets/provider-lib.rs");
const SUITE: &str = include_str!("../assets/provider-suite.rs");
const STANDARD: &str = "crates/providers-standard";

pub(crate) fn run(arguments: &NewProviderArguments) -> Result<Verdict> {
    let workspace = Workspace::load()?;
    let id = &arguments.name;
    if !is_id(id) {
        bail!("a provider's id has lower-case letters, digits and hyphens only: {id}");
    }
    let files = if arguments.code { as_crate(id) } else { as_manifest(id) };
    for (path, content) in &files {
        write_new(&workspace.root().join(path), content)?;
        println!("{} written", path.display());
    }
    if arguments.code {
        println!("next: fill in what says FILL IN, then `cargo test -p nora-provider-{id}`");
        println!("then: a feature, a dependency and a line of the server (docs/adding-a-provider.md)");
    } else {
        list(workspace.root(), id)?;
        println!("next: fill in what says FILL IN, then `cargo test -p nora-providers-standard`");
    }
    Ok(Verdict::Passed)
}

fn is_id(text: &str) -> bool {
    let inner = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    !text.is_empty() && text.len() <= 63 && inner && !text.starts_with('-') && !text.ends_with('-')
}

fn as_manifest(id: &str) -> Vec<(PathBuf, String)> {
    let test = "[test]\nurl = \"https://api.example.com/FILL-IN\"\nheaders = { Authorization = \"Bearer {token}\" }\n\
                success = { json = { pointer = \"/id\", type = \"string\" } }\naccount = [\"/name\"]";
    let path = Path::new(STANDARD).join("manifests").join(format!("{id}.toml"));
    vec![(path, filled(MANIFEST, id).replace("@TEST@", test))]
}

fn as_crate(id: &str) -> Vec<(PathBuf, String)> {
    let folder = PathBuf::from(format!("crates/provider-{id}"));
    let readme = format!(
        "# nora-provider-{id}\n\nFILL IN: what the provider is, and what its test proves.\n\nIt is not a client \
         library: it owns no socket and stores nothing.\n"
    );
    vec![
        (folder.join("Cargo.toml"), filled(CARGO, id)),
        (folder.join("README.md"), readme),
        (folder.join("manifest.toml"), filled(MANIFEST, id).replace("@TEST@", "[test]\ncode = true")),
        (folder.join("src/lib.rs"), filled(LIB, id)),
        (folder.join("tests/it/main.rs"), filled(SUITE, id)),
    ]
}

fn filled(template: &str, id: &str) -> String {
    template.replace("@ID@", id).replace("@IDENT@", &id.replace('-', "_")).replace("@ENV@", &env_name(id))
}

fn env_name(id: &str) -> String {
    id.to_ascii_uppercase().replace('-', "_")
}

fn write_new(path: &Path, content: &str) -> Result<()> {
    if path.exists() {
        bail!("{} is there already", path.display());
    }
    let folder = path.parent().context("a file has a folder")?;
    fs::create_dir_all(folder)?;
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// Adds a manifest's line to the list of the standard ones, in its place.
fn list(root: &Path, id: &str) -> Result<()> {
    let path = root.join(STANDARD).join("src/lib.rs");
    let text = fs::read_to_string(&path)?;
    fs::write(&path, with_line(&text, id)?)?;
    println!("{STANDARD}/src/lib.rs lists it");
    Ok(())
}

fn with_line(text: &str, id: &str) -> Result<String> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(is_entry).context("the list of manifests was not found")?;
    let entries: Vec<&str> = lines.iter().copied().skip(first).take_while(is_entry).collect();
    let before = entries.iter().filter(|line| entry_name(line) < id).count();
    let indent: String =
        entries.iter().flat_map(|line| line.chars()).take_while(|start| start.is_whitespace()).collect();
    let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
    lines.insert(first + before, format!("{indent}\"{id}\","));
    Ok(lines.join("\n") + "\n")
}

fn is_entry(line: &&str) -> bool {
    line.trim_start().starts_with('"') && line.trim_end().ends_with("\",")
}

fn entry_name(line: &str) -> &str {
    line.trim().trim_matches(|end| end == '"' || end == ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_slug() {
        assert!(is_id("acme-crm") && is_id("s3"));
        assert!(!is_id("") && !is_id("Acme") && !is_id("../x") && !is_id("-a"));
    }

    #[test]
    fn a_line_is_added_in_its_place() {
        let list = "manifests! {\n    \"a\",\n    \"c\",\n}\n";
        assert_eq!(with_line(list, "b").unwrap(), "manifests! {\n    \"a\",\n    \"b\",\n    \"c\",\n}\n");
        assert_eq!(with_line(list, "d").unwrap(), "manifests! {\n    \"a\",\n    \"c\",\n    \"d\",\n}\n");
        assert!(with_line("nothing", "b").is_err());
    }

    #[test]
    fn no_mark_of_a_template_is_left() {
        for (path, content) in as_crate("acme-crm").into_iter().chain(as_manifest("acme-crm")) {
            assert!(!content.contains('@'), "{}", path.display());
        }
    }
}
