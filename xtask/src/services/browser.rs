//! A browser that shows the pages of the server to tests.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{Service, Variable, apt};
use crate::environment;

/// What it is called, by Debian, by others, and where people have Google's.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

pub(super) struct Browser(PathBuf);

/// Finds a Chromium, installing it if need be.
pub(super) fn prepare() -> Result<Browser> {
    let search_path = environment::search_path();
    if let Some(program) = find(&search_path) {
        return Ok(Browser(program));
    }
    apt::require(&search_path, "no Chromium is on PATH", "chromium")?;
    println!("Chromium is missing: installing it");
    apt::install("chromium")?;
    find(&search_path).map(Browser).context("Chromium was installed, but is not found")
}

fn find(search_path: &[PathBuf]) -> Option<PathBuf> {
    NAMES.into_iter().find_map(|name| environment::program(search_path, name))
}

impl Service for Browser {
    fn name(&self) -> &'static str {
        "Chromium"
    }

    fn start(&mut self) -> Result<Vec<Variable>> {
        Ok(vec![("NORA_TEST_BROWSER", self.0.display().to_string())])
    }

    fn stop(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debians_own_comes_first_wherever_it_is() {
        let temporary = tempfile::tempdir().unwrap();
        let folders = ["a", "b"].map(|name| temporary.path().join(name));
        for folder in &folders {
            std::fs::create_dir(folder).unwrap();
        }
        assert_eq!(find(&folders), None);
        std::fs::write(folders[0].join("google-chrome"), "").unwrap();
        assert_eq!(find(&folders), Some(folders[0].join("google-chrome")));
        std::fs::write(folders[1].join("chromium"), "").unwrap();
        assert_eq!(find(&folders), Some(folders[1].join("chromium")));
    }
}
