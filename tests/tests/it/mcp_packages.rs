//! Real MCP servers, as npm has them: started through the document a redeploy hands over, without a network, with
//! credentials that open nothing.

use std::collections::BTreeMap;

use e2e::{Api, Installation, Runtime, Store, npm_home, search_path};
use rmcp::ServiceExt as _;
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};

/// A provider with what it is connected with, the variables its server declares, and one of the server's tools; `None`
/// for a server that asks its service before it tells its tools.
struct Package {
    provider: &'static str,
    token: &'static str,
    config: Value,
    declared: &'static [(&'static str, &'static str)],
    tool: Option<&'static str>,
}

fn packages() -> Vec<Package> {
    vec![
        Package {
            provider: "airtable",
            token: "patDummy.0123456789",
            config: json!({}),
            declared: &[("AIRTABLE_API_KEY", "patDummy.0123456789")],
            tool: Some("list_records"),
        },
        Package {
            provider: "figma",
            token: "figd_dummy-0123456789",
            config: json!({}),
            declared: &[("FIGMA_API_KEY", "figd_dummy-0123456789")],
            tool: Some("get_figma_data"),
        },
        Package {
            provider: "gitlab",
            token: "glpat-dummy-0123456789",
            config: json!({ "base_url": "https://gitlab.example.com" }),
            declared: &[
                ("GITLAB_API_URL", "https://gitlab.example.com/api/v4"),
                ("GITLAB_PERSONAL_ACCESS_TOKEN", "glpat-dummy-0123456789"),
            ],
            tool: Some("create_issue"),
        },
        Package {
            provider: "notion",
            token: "ntn_dummy0123456789",
            config: json!({}),
            declared: &[("NOTION_TOKEN", "ntn_dummy0123456789")],
            tool: Some("API-post-search"),
        },
        Package {
            provider: "pinecone",
            token: "pcsk_dummy0123456789",
            config: json!({}),
            declared: &[("PINECONE_API_KEY", "pcsk_dummy0123456789")],
            tool: Some("list-indexes"),
        },
        Package {
            provider: "supabase",
            token: "sb_secret_dummy0123456789",
            config: json!({
                "url": "https://abcdefghijklmnopqrst.supabase.co",
                "access_token": "sbp_0123456789012345678901234567890123456789",
                "project_ref": "abcdefghijklmnopqrst",
            }),
            declared: &[("SUPABASE_ACCESS_TOKEN", "sbp_0123456789012345678901234567890123456789")],
            tool: None,
        },
    ]
}

fn environment(pid: u32) -> BTreeMap<String, String> {
    let bytes = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let entries = text.split('\0').filter_map(|entry| entry.split_once('='));
    entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What the package's process is to have: what is declared, and where programs and caches are.
fn expected(package: &Package) -> BTreeMap<String, String> {
    let declared = package.declared.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let surroundings = [("PATH", search_path()), ("HOME", npm_home().into_os_string())];
    let surroundings = surroundings.map(|(name, value)| (name.to_owned(), value.into_string().unwrap()));
    declared.chain(surroundings).collect()
}

async fn deployed(api: &Api, runtime: &Runtime, packages: &[Package]) -> String {
    let agent = api.register("Agent", runtime).await;
    for Package { provider, token, config, .. } in packages {
        api.connect(&agent, json!({ "provider": provider, "token": token, "config": config })).await;
    }
    let providers: Vec<&str> = packages.iter().map(|package| package.provider).collect();
    assert_eq!(api.select_mcp(&agent, &providers).await["enabled"], json!(providers));
    api.request_redeploy(&agent).await;
    api.wait_deployment(&agent, "in_sync").await;
    agent
}

/// Starts a server as the document says and speaks to it with the protocol's own client.
async fn speak(runtime: &Runtime, package: &Package) {
    let provider = package.provider;
    let command = runtime.handle().mcp_command(provider).unwrap();
    let transport = TokioChildProcess::new(tokio::process::Command::from(command)).unwrap();
    let pid = transport.id().unwrap();
    let client = ().serve(transport).await.unwrap_or_else(|error| panic!("{provider}: {error}"));
    assert_eq!(environment(pid), expected(package), "{provider}");
    assert!(client.peer_info().is_some(), "{provider}");
    if let Some(expected) = package.tool {
        let tools = client.list_all_tools().await.unwrap_or_else(|error| panic!("{provider}: {error}"));
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
        assert!(names.contains(&expected), "{provider}: {names:?}");
    }
    client.cancel().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_starts_real_servers() {
    let installation = Installation::new(Store::Sqlite).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start_within(search_path(), npm_home()).await);
    let packages = packages();
    let agent = deployed(&api, &runtime, &packages).await;

    let shown = api.get(&format!("/api/agents/{agent}/deployment")).await.json(200);
    for package in &packages {
        let server = &shown["mcpServers"][package.provider];
        assert_eq!(server["command"], "npx", "{server}");
        let declared: Vec<&str> = package.declared.iter().map(|(name, _)| *name).collect();
        assert!(server["env"].as_object().unwrap().keys().eq(declared.iter()), "{server}");
        speak(&runtime, package).await;
    }
    let text = format!("{}{}", api.transcript(), installation.logs());
    for (_, value) in packages.iter().flat_map(|package| package.declared).filter(|(name, _)| !name.ends_with("_URL")) {
        assert!(!text.contains(value), "a credential was shown or logged");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_runtime_lists_the_tools_of_a_real_server() {
    let installation = Installation::new(Store::Sqlite).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start_within(search_path(), npm_home()).await);
    let gitlab: Vec<Package> = packages().into_iter().filter(|package| package.provider == "gitlab").collect();
    deployed(&api, &runtime, &gitlab).await;
    let server = runtime.wait_for_servers(&["gitlab"]).await.remove(0);
    assert!(server.tools.iter().any(|tool| tool == "create_issue"), "{server:?}");
    assert_eq!(environment(server.pid.unwrap()), expected(&gitlab[0]));
}
