//! npm packages that tests start with `npx`, without a network.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Service, Variable};
use crate::process;

/// Of the versions the manifests name.
const PACKAGES: [&str; 6] = [
    "@modelcontextprotocol/server-gitlab@2025.4.25",
    "@notionhq/notion-mcp-server@2.5.2",
    "@pinecone-database/mcp@0.3.0",
    "@supabase/mcp-server-supabase@0.13.0",
    "airtable-mcp-server@1.14.0",
    "figma-developer-mcp@0.13.2",
];

/// What `npx` is to do without once they are there.
const SETTINGS: &str = "offline=true\naudit=false\nfund=false\nupdate-notifier=false\n";

const NO_NPM: &str = "npm is missing: install Node.js 20 or newer with npm and run this again";

/// A home folder whose npm cache has the packages.
pub(super) struct Npm(PathBuf);

/// Installs what is not there yet.
pub(super) fn prepare(scratch: &Path) -> Result<Npm> {
    let home = scratch.join("npm-home");
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    for package in PACKAGES {
        let installed = home.join(format!("{}.installed", package.replace('/', "+")));
        if !installed.is_file() {
            println!("installing {package} for MCP servers");
            install(&home, package)?;
            fs::write(&installed, "").with_context(|| format!("cannot write {}", installed.display()))?;
        }
    }
    fs::write(home.join(".npmrc"), SETTINGS).context("cannot write the settings of npm")?;
    Ok(Npm(home))
}

/// Puts a package where `npx` looks for it, by running nothing of it.
fn install(home: &Path, package: &str) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["exec", "--yes", "--no-audit", "--no-fund", "--loglevel=error", "--package", package]);
    npm.args(["--", "node", "--eval", ""]).current_dir(home).env("npm_config_cache", home.join(".npm"));
    if !process::run(&mut npm).context(NO_NPM)? {
        bail!("npm cannot install {package}");
    }
    Ok(())
}

impl Service for Npm {
    fn name(&self) -> &'static str {
        "npm packages"
    }

    fn start(&mut self) -> Result<Vec<Variable>> {
        Ok(vec![("NORA_TEST_NPM_HOME", self.0.display().to_string())])
    }

    fn stop(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifests_name_these_versions() {
        let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/providers-standard/manifests");
        let texts = fs::read_dir(manifests).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        let texts: Vec<String> = texts.collect();
        for installed in PACKAGES {
            let (package, version) = installed.rsplit_once('@').unwrap();
            let wanted = format!("package = \"{package}\"\nversion = \"{version}\"\n");
            assert!(texts.iter().any(|text| text.contains(&wanted)), "{installed}");
        }
    }
}
