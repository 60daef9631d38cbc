//! What is started gets the applied environment and nothing else.

use std::collections::BTreeMap;

use nora_reference_runtime::RunningRuntime;
use serde_json::json;

use crate::support::{AGENT, config, post, push};

fn environment(runtime: &RunningRuntime) -> BTreeMap<String, String> {
    let output = runtime.handle().command("env").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, value)| (name.into(), value.into())).collect()
}

#[tokio::test]
async fn a_child_gets_exactly_the_applied_environment() {
    let mut config = config();
    config.home = Some("/nowhere".into());
    let runtime = RunningRuntime::start(config).unwrap();
    let names = |environment: BTreeMap<String, String>| environment.into_keys().collect::<Vec<_>>();
    assert_eq!(names(environment(&runtime)), ["HOME", "PATH"]);

    post(&runtime, "/integrations/sync", &push(AGENT, 1, &json!({ "A": "one=two; $HOME", "B": "" }))).await;
    let first = environment(&runtime);
    assert_eq!((first["A"].as_str(), first["B"].as_str(), first["HOME"].as_str()), ("one=two; $HOME", "", "/nowhere"));

    post(&runtime, "/integrations/sync", &push(AGENT, 2, &json!({ "C": "three" }))).await;
    assert_eq!(names(environment(&runtime)), ["C", "HOME", "PATH"]);
}
