//! A browser that is allowed nothing but this machine.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::command::text;
use crate::{environment, run_to_end};

/// A cold start on a busy machine takes most of it.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a page came to.
#[derive(Debug)]
pub struct Page {
    /// The document after its scripts have run, as HTML.
    pub document: String,
    /// Every URL that the page's origin asked for, whether an answer came or not.
    pub requests: Vec<String>,
    /// What the browser and the scripts wrote to the console, such as violations of the page's policy.
    pub console: Vec<String>,
}

/// Shows the page at `url`, which lies at `origin`, with no name resolved and no address called but 127.0.0.1.
pub async fn browse(origin: &str, url: &str) -> Page {
    let folder = tempfile::tempdir().unwrap();
    let (profile, network) = (folder.path().join("profile"), folder.path().join("network.json"));
    let mut command = Command::new(environment::browser());
    command.env_clear().env("PATH", environment::search_path()).env("HOME", folder.path());
    // The sandbox wants rights that a container's root does not have. The page is our own.
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
    command.arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1");
    command.arg(format!("--user-data-dir={}", profile.display())).arg(format!("--log-net-log={}", network.display()));
    // Time in the page is as long as its requests take and no longer, up to this many of its milliseconds.
    command.args(["--enable-logging=stderr", "--virtual-time-budget=30000", "--dump-dom", url]);
    let ended = run_to_end(command, PATIENCE).await;
    let console = ended.stderr.lines().filter(|line| line.contains(":CONSOLE")).map(str::to_owned).collect();
    Page { requests: requests(&text(&network), origin), console, document: ended.success() }
}

/// The browser has requests of its own, which are no page's.
fn requests(log: &str, origin: &str) -> Vec<String> {
    let log: Value = serde_json::from_str(log).unwrap();
    let events = log["events"].as_array().unwrap().iter().map(|event| &event["params"]);
    let of_page = events.filter(|event| event["initiator"] == origin);
    of_page.filter_map(|event| event["url"].as_str()).map(str::to_owned).collect()
}
