//! Deployments: the very bytes, and what counts as a confirmation.

use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, RuntimeAddress};
use nora_kernel::{IntegrationId, Secret};
use nora_mcp_servers::ports::{DeployError, DeployedServer, Deployment, DeploymentClient as _};
use nora_provider_sdk::manifest::{McpValue, ResolvedMcp};
use nora_reference_runtime::faults::{Fault, Route};
use serde_json::{Value, json};

use crate::support::{address, address_of, agent, once, runtime, runtimes};

pub(crate) fn value(name: &str, text: &str) -> McpValue {
    McpValue { name: name.to_owned(), value: Secret::new(text.to_owned()), secret: Some("token".parse().unwrap()) }
}

pub(crate) fn server(name: &str, how: ResolvedMcp) -> DeployedServer {
    let integration = IntegrationId::from_uuid("0190a000-0000-7000-8000-000000000001".parse().unwrap());
    DeployedServer { name: name.parse().unwrap(), integration, how }
}

pub(crate) fn process(variables: Vec<McpValue>) -> ResolvedMcp {
    ResolvedMcp::Stdio { command: "acme-mcp".to_owned(), args: vec!["--stdio".to_owned()], env: variables }
}

pub(crate) fn deployment(servers: Vec<DeployedServer>) -> Deployment {
    Deployment { agent: agent(), servers, dropped: Vec::new() }
}

async fn answered(status: u16, body: &str) -> Result<(), DeployError> {
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let (peer, request) = once(answer).await;
    let ended = runtimes().deploy(&address(&format!("http://{peer}")), &deployment(Vec::new())).await;
    request.await.unwrap();
    ended
}

#[tokio::test]
async fn the_request_is_the_contracts() {
    let digest = "sha256:6c3a30bd9a3c9b2a11cf7cd8ee1d1ba8c3fe53b3e6ff2a2b2f8a3d9a5d0f4a6e";
    let answer = json!({ "applied": true, "digest": digest }).to_string();
    let (peer, request) =
        once(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).into_bytes()).await;
    let remote = ResolvedMcp::Remote {
        url: value("url", "https://mcp.acme.example/mcp"),
        headers: vec![value("Authorization", "Bearer t-2")],
    };
    let sent = deployment(vec![server("acme", process(vec![value("ACME_TOKEN", "t-1")])), server("remote", remote)]);
    // The digest above is another document's.
    let ended = runtimes().deploy(&address(&format!("http://{peer}/base/")), &sent).await;
    assert_eq!(ended, Err(DeployError::of(FailureClass::BadAnswer)));
    let (head, body) = request.await.unwrap();
    assert!(head.starts_with("POST /base/deployment HTTP/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    let body: Value = serde_json::from_slice(&body).unwrap();
    let servers = json!({
        "acme": { "command": "acme-mcp", "args": ["--stdio"], "env": { "ACME_TOKEN": "t-1" } },
        "remote": { "url": "https://mcp.acme.example/mcp", "headers": { "Authorization": "Bearer t-2" } },
    });
    assert_eq!((&body["agent_id"], &body["mcpServers"]), (&json!(agent().to_string()), &servers));
    assert!(body["digest"].as_str().unwrap().starts_with("sha256:"), "{body}");
}

#[tokio::test]
async fn the_runtime_checks_the_digest_and_confirms_it() {
    let (runtime, client) = (runtime(), runtimes());
    let address = address_of(&runtime);
    client.deploy(&address, &deployment(Vec::new())).await.unwrap();
    assert!(runtime.handle().deployment().unwrap().names().is_empty());

    runtime.handle().faults().next(Route::Deployment, Fault::CutAfterwards);
    assert!(client.deploy(&address, &deployment(Vec::new())).await.is_err(), "a lost answer is no confirmation");
    client.deploy(&address, &deployment(Vec::new())).await.unwrap();
}

#[tokio::test]
async fn only_the_contracts_confirmation_counts() {
    for body in ["", "{}", "{\"applied\":true}", "{\"applied\":true,\"digest\":\"sha256:0\"}"] {
        assert_eq!(answered(200, body).await, Err(DeployError::of(FailureClass::BadAnswer)), "{body}");
    }
    assert_eq!(answered(401, "").await, Err(DeployError::of(FailureClass::Auth)));
    assert_eq!(answered(404, "").await, Err(DeployError::of(FailureClass::Rejected)));
    assert_eq!(answered(500, "").await, Err(DeployError::of(FailureClass::ServerError)));
}

#[tokio::test]
async fn a_sidecar_takes_no_deployment() {
    let address = RuntimeAddress { kind: RuntimeKind::Sidecar, ..address("http://127.0.0.1:9") };
    let ended = runtimes().deploy(&address, &deployment(Vec::new())).await;
    assert_eq!(ended, Err(DeployError::of(FailureClass::UnsupportedRuntime)));
}
