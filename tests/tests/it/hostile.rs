//! Hostile bodies and values, as an attacker or an accident would send them.

use e2e::{Installation, Runtime, Store, on_both_stores, run_to_end};
use reqwest::Method;
use serde_json::json;

on_both_stores!(hostile_bodies_are_refused, hostile_values_are_data);

const LIMIT: usize = 256 * 1024;

/// A body, its headers beside the usual content type, and the statuses it may get.
struct Case {
    name: &'static str,
    body: Vec<u8>,
    header: Option<(&'static str, &'static str)>,
    expected: &'static [u16],
}

fn body(name: &'static str, body: impl Into<Vec<u8>>, expected: &'static [u16]) -> Case {
    Case { name, body: body.into(), header: None, expected }
}

fn with(name: &'static str, header: (&'static str, &'static str), body: &str, expected: &'static [u16]) -> Case {
    Case { name, body: body.into(), header: Some(header), expected }
}

fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
    let config = format!("{}{middle}{}", open.repeat(depth), close.repeat(depth));
    format!(r#"{{"provider":"acme","token":"t","config":{config}}}"#)
}

fn cases() -> Vec<Case> {
    let plain = r#"{"provider":"acme","token":"t"}"#;
    let keys: Vec<String> = (0..100_000).map(|number| format!(r#""k{number}":1"#)).collect();
    let padding = " ".repeat(LIMIT);
    vec![
        body("null", "null", &[400]),
        body("empty", "", &[400]),
        body("truncated", r#"{"provider":"acme""#, &[400]),
        body("trailing", r#"{"provider":"acme"} x"#, &[400]),
        body("case", r#"{"provider":"Acme","token":"t"}"#, &[400]),
        body("spaces", r#"{"provider":" acme ","token":"t"}"#, &[400]),
        body("sql", r#"{"provider":"acme'; DROP TABLE integrations;--","token":"t"}"#, &[400]),
        body("duplicate", r#"{"provider":"acme","provider":"rival","token":"t"}"#, &[400]),
        body("duplicate below", r#"{"provider":"acme","token":"t","config":{"project":"a","project":"b"}}"#, &[400]),
        body("token object", r#"{"provider":"acme","token":{"$ne":null}}"#, &[400]),
        body("token crlf", r#"{"provider":"acme","token":"a\r\nX-Evil: 1"}"#, &[400]),
        body("token cr", r#"{"provider":"acme","token":"a\rb"}"#, &[400]),
        body("token nul", r#"{"provider":"acme","token":"a\u0000b"}"#, &[400]),
        body("surrogate", r#"{"provider":"acme","token":"t","config":{"project":"\ud800"}}"#, &[400]),
        body("infinity", r#"{"provider":"acme","token":"t","config":{"level":1e400}}"#, &[400]),
        body(
            "large integer",
            r#"{"provider":"acme","token":"t","config":{"level":123456789012345678901234567890}}"#,
            &[400],
        ),
        body("config array", r#"{"provider":"acme","token":"t","config":[]}"#, &[400]),
        body("config text", r#"{"provider":"acme","token":"t","config":"{}"}"#, &[400]),
        body(
            "secret in config",
            r#"{"provider":"acme","token":"t","config":{"api_token":"SECRET_IN_CONFIG"}}"#,
            &[400],
        ),
        body("unknown field", r#"{"provider":"acme","token":"t","config":{"token":"SECRET_IN_CONFIG"}}"#, &[400]),
        body("comment", r#"{/**/"provider":"acme","token":"t"}"#, &[400]),
        body("not text", b"{\"provider\":\"\xff\"}".to_vec(), &[400]),
        body("depth 120", nested("{\"a\":", "1", "}", 120), &[400]),
        body("depth 10000", nested("[", "", "]", 10_000), &[400]),
        body("depth 500000", nested("[", "", "]", 500_000), &[400, 413]),
        body("100000 keys", format!(r#"{{{},"provider":"acme"}}"#, keys.join(",")), &[400, 413]),
        body("over the limit", format!("{padding}{plain}"), &[413]),
        with("gzip", ("content-encoding", "gzip"), "not gzip", &[415]),
        with("text", ("content-type", "text/plain"), plain, &[415]),
        with("form", ("content-type", "application/x-www-form-urlencoded"), plain, &[415]),
        with("xml", ("content-type", "application/xml"), plain, &[415]),
        with("utf-16", ("content-type", "application/json; charset=utf-16"), plain, &[415]),
    ]
}

async fn hostile_bodies_are_refused(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Target", &runtime).await;
    let path = format!("/api/agents/{agent}/integrations");
    let memory = resident(server.pid());
    for Case { name, body, header, expected } in cases() {
        let mut headers = vec![("content-type", "application/json")];
        headers.retain(|_| header.is_none_or(|(name, _)| name != "content-type"));
        headers.extend(header);
        let answer = api.send_bytes(Method::POST, &path, &headers, body).await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert!(expected.contains(&answer.status), "{name}: {} {}", answer.status, answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
        assert!(!answer.body.contains("SECRET_IN_CONFIG"), "{name}: {}", answer.body);
    }
    assert_eq!(api.get(&path).await.json(200), json!([]), "nothing was partially written");
    let grown = resident(server.pid()).saturating_sub(memory);
    assert!(grown < 64 * 1024, "it grew by {grown} KiB");
    assert_eq!(api.send(Method::PUT, &path, &[], Some(json!({}))).await.unwrap().status, 405);
}

/// KiB of a process in memory.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

async fn hostile_values_are_data(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Values", &runtime).await;
    let marker = installation.scratch().join("pwned");
    let touch = format!("touch {}", marker.display());
    let values = [
        ("dollar", format!("$({touch})")),
        ("backtick", format!("`{touch}`")),
        ("semicolon", format!("a;{touch}")),
        ("quote", format!("a'; {touch}; '")),
        ("double", format!("a\"; {touch}; \"")),
        ("spaces", "  xoxb-1  ".to_owned()),
    ];
    let mut expected = std::collections::BTreeMap::new();
    for (label, value) in &values {
        api.connect_acme(&agent, label, value).await;
        expected.insert(format!("ACME_API_TOKEN__{}", label.to_uppercase()), value.clone());
    }
    let unicode = "пароль-\u{1f511}-ключ";
    let config = json!({ "signing_key": unicode });
    api.connect(&agent, json!({ "provider": "acme", "label": "unicode", "token": "t", "config": config })).await;
    expected.insert("ACME_API_TOKEN__UNICODE".to_owned(), "t".to_owned());
    expected.insert("ACME_SIGNING_KEY__UNICODE".to_owned(), unicode.to_owned());
    let path = format!("/api/agents/{agent}/integrations");
    let big = json!({ "provider": "acme", "label": "big", "token": "x".repeat(131_073) });
    api.post(&path, big).await.problem(400, "config_invalid");
    runtime.wait_for(&expected).await;

    let mut child = runtime.handle().command("bash");
    child.args(["-c", "env -0"]);
    let env = run_to_end(child, e2e::PATIENCE).await.success();
    for (name, value) in expected {
        assert!(env.split('\0').any(|entry| entry == format!("{name}={value}")), "{name}");
    }
    assert!(!marker.exists(), "a value was run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_names_are_no_manifest() {
    let installation = Installation::new(Store::Sqlite).await;
    let file = installation.scratch().join("hostile.toml");
    let names = [
        "LD_PRELOAD",
        "LD_LIBRARY_PATH",
        "NODE_OPTIONS",
        "NODE_REPL_EXTERNAL_MODULE",
        "RUBYOPT",
        "PROMPT_COMMAND",
        "PATH",
        "IFS",
        "GIT_SSH_COMMAND",
        "HTTPS_PROXY",
        "A=B",
        "a\\nb",
        "",
        "1A",
        "lower",
        "BASH_ENV",
        "PYTHONPATH",
        "DYLD_INSERT_LIBRARIES",
    ];
    for name in names {
        std::fs::write(&file, e2e::RIVAL.replace("ACME_API_TOKEN", name)).unwrap();
        let checked = installation.run(&["catalog", "check", file.to_str().unwrap()]).await;
        assert_ne!(checked.code, Some(0), "{name}: {checked:?}");
        assert!(!checked.stderr.is_empty(), "{name}");
    }
    std::fs::write(&file, e2e::RIVAL).unwrap();
    installation.run(&["catalog", "check", file.to_str().unwrap()]).await.success();
}
