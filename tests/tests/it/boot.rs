//! Starts that must not happen: one line that names the setting and not its value, nothing listens, nothing is left.

use std::net::TcpStream;
use std::time::Duration;

use e2e::{Installation, Runtime, Store, Stub, answer};
use serde_json::json;

/// No refusal takes longer.
const PROMPT: Duration = Duration::from_secs(20);

const CANARY: &str = "CANARY-boot-5f7a";

struct Case {
    variables: Vec<(&'static str, String)>,
    names: &'static str,
}

fn case(names: &'static str, variables: &[(&'static str, &str)]) -> Case {
    let variables = variables.iter().map(|(name, value)| (*name, value.replace("CANARY", CANARY))).collect();
    Case { variables, names }
}

fn cases() -> Vec<Case> {
    let strong = "0123456789abcdef0123456789abcdef-CANARY";
    vec![
        case("NORA_LISTEN", &[("NORA_LISTEN", "CANARY")]),
        case("NORA_LISTEN", &[("NORA_LISTEN", "203.0.113.7:80")]),
        case("NORA_METRICS_LISTEN", &[("NORA_METRICS_LISTEN", "CANARY:1")]),
        case("NORA_PUBLIC_URL", &[("NORA_PUBLIC_URL", "http://user:CANARY@nora.example")]),
        case("NORA_PUBLIC_URL", &[("NORA_PUBLIC_URL", "ftp://nora.example/CANARY")]),
        case("NORA_DATABASE_URL", &[("NORA_DATABASE_URL", "mysql://root:CANARY@db/nora")]),
        case("NORA_DATABASE_URL", &[("NORA_DATABASE_URL", "CANARY")]),
        case("NORA_DATABASE_URL", &[("NORA_DATABASE_URL", "postgres://nora:CANARY@127.0.0.1:1/nora?sslmode=disable")]),
        case("NORA_DATABASE_URL", &[("NORA_DATABASE_URL", "postgres://nora:CANARY@127.0.0.1:1/nora?sslmode=CANARY")]),
        case("NORA_ALLOW_NETWORKS", &[("NORA_ALLOW_NETWORKS", r#"["CANARY"]"#)]),
        case("NORA_ALLOW_NETWORKS", &[("NORA_ALLOW_NETWORKS", "10.0.0.0/8,CANARY")]),
        case("NORA_RUNTIME_NETWORKS", &[("NORA_RUNTIME_NETWORKS", "10.0.0.0/99 CANARY")]),
        case("NORA_PROVIDERS_DIR", &[("NORA_PROVIDERS_DIR", "/does/not/exist")]),
        case("NORA_JWT_SECRET", &[("NORA_JWT_SECRET", "CANARY"), ("NORA_JWT_ISSUER", "i"), ("NORA_JWT_AUDIENCE", "a")]),
        case("NORA_JWT_ISSUER", &[("NORA_JWT_SECRET", strong), ("NORA_JWT_AUDIENCE", "a")]),
        case("NORA_JWT_AUDIENCE", &[("NORA_JWT_SECRET", strong), ("NORA_JWT_ISSUER", "i")]),
        case("NORA_JWT_JWKS_URL", &[("NORA_JWT_SECRET", strong), ("NORA_JWT_JWKS_URL", "https://id.example/CANARY")]),
        case(
            "NORA_JWT_JWKS_URL",
            &[("NORA_JWT_JWKS_URL", "CANARY"), ("NORA_JWT_ISSUER", "i"), ("NORA_JWT_AUDIENCE", "a")],
        ),
        case("NORA_LOG_FORMAT", &[("NORA_LOG_FORMAT", "CANARY")]),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_setting_is_refused() {
    let mut complaints = Vec::new();
    for Case { variables, names } in cases() {
        let mut installation = Installation::without_keyring(Store::Sqlite).await;
        if variables.iter().any(|(_, value)| value.starts_with("postgres://")) {
            installation.run(&["vault", "init"]).await.success();
        }
        let before = left(&installation);
        for (name, value) in &variables {
            installation.set(name, value);
        }
        let ended = e2e::run_to_end(installation.command(&[]), PROMPT).await;
        let said = &ended.stderr;
        let shown = variables.iter().any(|(_, value)| value.len() > 4 && said.contains(value.as_str()));
        let found = [
            (ended.code.is_none_or(|code| code == 0), "it does not fail"),
            (said.lines().count() != 1, "it does not say one line"),
            (!said.contains(names), "the setting is not named"),
            (shown || said.contains(CANARY), "the value is shown"),
            (TcpStream::connect(("127.0.0.1", installation.port())).is_ok(), "it listens"),
            (left(&installation) != before, "it leaves files"),
        ];
        let wrong = found.iter().filter(|(is_wrong, _)| *is_wrong);
        complaints.extend(wrong.map(|(_, complaint)| format!("{variables:?}: {complaint}: {said}")));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// The files in the data directory.
fn left(installation: &Installation) -> Vec<String> {
    let entries = std::fs::read_dir(installation.data_dir()).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_port_is_refused() {
    for name in ["NORA_LISTEN", "NORA_METRICS_LISTEN"] {
        let mut installation = Installation::new(Store::Sqlite).await;
        let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        installation.set(name, &taken.local_addr().unwrap().to_string());
        let ended = e2e::run_to_end(installation.command(&[]), PROMPT).await;
        assert!(ended.refusal().contains(name), "{ended:?}");
        assert_eq!(left(&installation), Vec::<String>::new());
    }
}

/// A case that does not end as it says.
const ENDS_OTHERWISE: &str = r#"
[example]
values = { api_token = "token-0123456789" }

[[cases]]
name = "a wrong token"
expect = "auth"
answers = [{ json = '{"id": "1"}' }]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_manifest_is_refused() {
    let installation = Installation::new(Store::Sqlite).await;
    let file = installation.providers_dir().join("broken.toml");
    let broken = [
        "id = ".to_owned(),
        e2e::ACME.to_owned(),
        e2e::ACME.replace("id = \"acme\"", "id = \"slack\""),
        e2e::ACME.replace("id = \"acme\"", "id = \"other\"").replace("capabilities", "capabilites"),
        e2e::ACME.replace("id = \"acme\"", "id = \"other\"") + ENDS_OTHERWISE,
    ];
    for content in broken {
        std::fs::write(&file, &content).unwrap();
        let ended = e2e::run_to_end(installation.command(&[]), PROMPT).await;
        assert!(ended.refusal().contains("broken.toml:"), "{ended:?}");
        // What is only wrong beside another file is good alone.
        if content != e2e::ACME {
            let checked = installation.run(&["catalog", "check", file.to_str().unwrap()]).await;
            assert!(checked.refusal().contains("broken.toml:"), "{checked:?}");
        }
    }
    std::fs::remove_file(&file).unwrap();
    installation.start().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_takes_a_built_in_providers_place_if_it_says_so() {
    let installation = Installation::new(Store::Sqlite).await;
    let file = installation.providers_dir().join("slack.toml");
    let ours = e2e::ACME.replace("id = \"acme\"", "id = \"slack\"");
    std::fs::write(&file, format!("replaces_built_in = true\n{ours}")).unwrap();
    let checked = installation.run(&["catalog", "check", file.to_str().unwrap()]).await.success();
    assert!(checked.contains("slack is a good manifest"), "{checked}");
    let _server = installation.start().await;
    assert_eq!(installation.api().get("/api/integrations/catalog/slack").await.json(200)["name"], "Acme");
    std::fs::write(&file, ours).unwrap();
    let checked = installation.run(&["catalog", "check", file.to_str().unwrap()]).await;
    assert!(checked.refusal().contains("replaces_built_in = true"), "{checked:?}");
}

/// An allow list of everything does not open the metadata services, and an empty one opens nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_allow_list_means_what_it_says() {
    let mut installation = Installation::new(Store::Sqlite).await;
    let runtime = Runtime::start().await;
    let json_type = [("content-type", "application/json")];
    let acme = Stub::answering(answer(200, &json_type, r#"{"id":"7"}"#)).await;
    installation.set("NORA_ALLOW_NETWORKS", "0.0.0.0/0,::/0");
    let server = installation.start().await;
    let api = installation.api();
    let agent = api.register("Allowed", &runtime).await;
    let path = format!("/api/agents/{agent}/integrations/test");
    let to = |url: &str| json!({ "provider": "acme", "token": "t", "config": { "base_url": url } });
    assert_eq!(api.post(&path, to(&acme.url())).await.json(200)["verdict"], "verified");
    for metadata in ["http://169.254.169.254", "http://[fd00:ec2::254]", "http://192.0.0.192", "http://168.63.129.16"] {
        api.post(&path, to(metadata)).await.problem(400, "config_invalid");
    }
    assert_eq!(server.stop().await.code, Some(0));

    installation.set("NORA_ALLOW_NETWORKS", "");
    let calls = acme.calls();
    let _server = installation.start().await;
    api.post(&path, to(&acme.url())).await.problem(400, "config_invalid");
    assert_eq!(acme.calls(), calls, "an empty list allows nothing");
}

/// A proxy in the environment would be sent every credential.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_in_the_environment_is_ignored() {
    let mut installation = Installation::new(Store::Sqlite).await;
    let proxy = Stub::answering(answer(200, &[], "")).await;
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
        installation.set(name, &proxy.url());
    }
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Proxied", &runtime).await;
    let json_type = [("content-type", "application/json")];
    let acme = Stub::answering(answer(200, &json_type, r#"{"id":"7"}"#)).await;
    let candidate = json!({ "provider": "acme", "token": "t", "config": { "base_url": acme.url() } });
    let path = format!("/api/agents/{agent}/integrations/test");
    assert_eq!(api.post(&path, candidate).await.json(200)["verdict"], "verified");
    api.wait_in_sync(&agent).await;
    assert_eq!(proxy.calls(), 0, "the proxy was asked");
}
