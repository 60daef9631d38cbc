//! `nora demo`: what it prints works as pasted.

use std::process::Command;

use e2e::{Ended, Installation, Server, Started, Store, eventually, npm_home, on_both_stores, run_to_end};
use serde_json::{Value, json};

on_both_stores!(the_printed_lines_work);

const AGENT: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";

/// Starts the demo and waits until it has printed everything.
async fn demo(installation: &Installation) -> (Server, Lines) {
    let Started::Ready(server) = installation.try_start(&["demo"]).await else { panic!("the demo did not start") };
    let what = "the lines to paste";
    let printed =
        eventually(what, async || Some(server.output()).filter(|printed| printed.contains("/channels/"))).await;
    (server, Lines::of(&printed))
}

/// The printed lines: assignments, and calls in their order.
struct Lines {
    assignments: Vec<String>,
    calls: Vec<String>,
}

impl Lines {
    fn of(printed: &str) -> Self {
        let lines = printed.lines().map(str::to_owned);
        let is_assignment = |line: &String| line.split_once('=').is_some_and(|(name, _)| is_name(name));
        let (assignments, others): (Vec<_>, Vec<_>) = lines.partition(is_assignment);
        Self { assignments, calls: others.into_iter().filter(|line| line.starts_with("curl ")).collect() }
    }

    /// The one call with all of these words in it.
    fn call(&self, words: &[&str], without: &[&str]) -> &str {
        let fits = |line: &&String| {
            words.iter().all(|word| line.contains(word)) && !without.iter().any(|word| line.contains(word))
        };
        let found: Vec<_> = self.calls.iter().filter(fits).collect();
        assert_eq!(found.len(), 1, "{words:?}: {:?}", self.calls);
        found[0]
    }

    /// Pastes a line into a shell, after the assignments.
    async fn paste(&self, installation: &Installation, line: &str) -> Value {
        let script = [&self.assignments[..], &[line.to_owned()]].concat().join("\n");
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).current_dir(installation.scratch()).env("no_proxy", "*");
        let ended: Ended = run_to_end(bash, e2e::PATIENCE).await;
        let said = ended.clone().success();
        serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {line}: {ended:?}"))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

async fn the_printed_lines_work(store: Store) {
    let home = npm_home().display().to_string();
    let installation = Installation::new(store).await.with("HOME", &home);
    let (server, lines) = demo(&installation).await;
    assert!(lines.assignments[0].starts_with("TOKEN=$(cat "), "{:?}", lines.assignments);
    assert!(!server.output().contains(&installation.bootstrap_key()), "the key itself is not printed");

    let catalog = lines.paste(&installation, lines.call(&["category=communication"], &[])).await;
    assert!(catalog.as_array().unwrap().iter().any(|item| item["id"] == "slack"), "{catalog}");
    let connected = lines.paste(&installation, lines.call(&["-X POST", "xoxb-your-slack-bot-token"], &[])).await;
    assert_eq!((&connected["provider"], &connected["agent_id"]), (&json!("slack"), &json!(AGENT)));
    let env = lines.call(&["/env"], &[]);
    eventually("the runtime has it", async || {
        let env = lines.paste(&installation, env).await;
        env["env"].get("SLACK_BOT_TOKEN").is_some().then_some(())
    })
    .await;
    let list = lines.paste(&installation, lines.call(&["/integrations"], &["-X", "category", "xoxb"])).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    let tested = lines.paste(&installation, lines.call(&["-X POST", "/test"], &[])).await;
    assert_eq!(tested["success"], false, "{tested}");
    let sync = lines.paste(&installation, lines.call(&["/sync"], &["-X"])).await;
    assert!(sync["state"].is_string(), "{sync}");
    let received = lines.paste(&installation, lines.call(&["-X POST", "/webhooks/"], &[])).await;
    assert_eq!(received, json!({ "received": true }));
    let events = lines.call(&["/events"], &["/channels/"]);
    eventually("the runtime has the event", async || {
        let events = lines.paste(&installation, events).await;
        (events["events"][0]["content"] == r#"{"event":"push","ref":"refs/heads/main"}"#).then_some(())
    })
    .await;
    let listed = lines.paste(&installation, lines.call(&["/channels/", "/events"], &[])).await;
    assert_eq!(listed[0]["verdict"], "unverified", "{listed}");
    assert_eq!(server.stop().await.code, Some(0));

    let (server, lines) = demo(&installation).await;
    let list = lines.paste(&installation, lines.call(&["/integrations"], &["-X", "category", "xoxb"])).await;
    assert_eq!(list[0]["id"], connected["id"], "a second run finds what the first made");
    let env = lines.call(&["/env"], &[]);
    eventually("the new runtime has it too", async || {
        let env = lines.paste(&installation, env).await;
        env["env"].get("SLACK_BOT_TOKEN").is_some().then_some(())
    })
    .await;
    let removed = lines.paste(&installation, lines.call(&["-X DELETE"], &[])).await;
    assert_eq!(removed, json!({ "success": true }));
    gitlab(&installation, &lines).await;
    assert_eq!(server.stop().await.code, Some(0));
}

/// Connects GitLab, switches its server on, and waits until the demo's runtime lists the tools of the real process.
async fn gitlab(installation: &Installation, lines: &Lines) {
    let connected = lines.paste(installation, lines.call(&["-X POST", "glpat-your-gitlab-token"], &[])).await;
    assert_eq!(connected["provider"], "gitlab");
    let selected = lines.paste(installation, lines.call(&["-X PUT", "/mcp-servers"], &[])).await;
    assert_eq!((&selected["enabled"], &selected["redeployRequired"]), (&json!(["gitlab"]), &json!(true)));
    let asked = lines.paste(installation, lines.call(&["/redeploy"], &[])).await;
    assert_eq!(asked, json!({ "accepted": true }));
    let mcp = lines.call(&["/mcp "], &["-X"]);
    eventually("the tools of a real server", async || {
        let shown = lines.paste(installation, mcp).await;
        let tools = shown["servers"][0]["tools"].as_array().cloned().unwrap_or_default();
        tools.contains(&json!("create_issue")).then_some(())
    })
    .await;
}
