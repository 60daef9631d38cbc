//! Deployments to gateways and Hermes, which keep servers of others too.

use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, RuntimeAddress};
use nora_mcp_servers::ports::{DeployError, DeployedServer, DeploymentClient as _};
use nora_provider_sdk::manifest::ResolvedMcp;
use nora_testkit_runtimes::{Gateway, GatewaySettings, Hermes, Journal};
use serde_json::{Value, json};

use crate::deployment::{deployment, process, server, value};
use crate::gateways::{address, gateway, paired, secret};
use crate::support::runtimes;

fn remote(token: &str) -> ResolvedMcp {
    ResolvedMcp::Remote {
        url: value("url", "https://mcp.acme.example/mcp"),
        headers: vec![value("Authorization", token)],
    }
}

async fn deploy(gateway: &Gateway, servers: Vec<DeployedServer>) -> Result<(), DeployError> {
    runtimes().deploy(&address(gateway), &deployment(servers)).await
}

#[tokio::test]
async fn a_gateway_gets_our_servers_and_keeps_those_of_others() {
    let gateway = gateway(paired()).await;
    gateway.serve("theirs", json!({ "command": "their-mcp", "args": [], "env": { "A": "a" } }));
    let both = vec![server("acme", process(vec![value("ACME_TOKEN", "t-1")])), server("remote", remote("Bearer r-1"))];
    deploy(&gateway, both).await.unwrap();
    let expected = json!({
        "nora-acme": { "enabled": true, "command": "acme-mcp", "args": ["--stdio"], "env": { "ACME_TOKEN": "t-1" } },
        "nora-remote": { "enabled": true, "url": "https://mcp.acme.example/mcp", "transport": "streamable-http",
            "headers": { "Authorization": "Bearer r-1" } },
        "theirs": { "command": "their-mcp", "args": [], "env": { "A": "a" } },
    });
    assert_eq!(Value::Object(gateway.servers()), expected);

    deploy(&gateway, vec![server("acme", process(vec![value("OTHER_TOKEN", "t-2")]))]).await.unwrap();
    let servers = gateway.servers();
    assert_eq!(servers.keys().collect::<Vec<_>>(), ["nora-acme", "theirs"]);
    assert_eq!(servers["nora-acme"]["env"], json!({ "OTHER_TOKEN": "t-2" }), "what went from a server is gone");

    deploy(&gateway, Vec::new()).await.unwrap();
    assert_eq!(gateway.servers().keys().collect::<Vec<_>>(), ["theirs"]);
}

#[tokio::test]
async fn a_server_that_moves_to_the_network_keeps_nothing_of_its_process() {
    let gateway = gateway(paired()).await;
    deploy(&gateway, vec![server("acme", process(vec![value("ACME_TOKEN", "t-1")]))]).await.unwrap();
    deploy(&gateway, vec![server("acme", remote("Bearer r-1"))]).await.unwrap();
    let members = gateway.servers()["nora-acme"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members, ["enabled", "headers", "transport", "url"]);
}

#[tokio::test]
async fn a_change_of_somebody_else_is_waited_out() {
    let gateway = gateway(paired()).await;
    gateway.changes_before_patches(4);
    deploy(&gateway, vec![server("acme", process(Vec::new()))]).await.unwrap();
    gateway.changes_before_patches(5);
    let refused = deploy(&gateway, Vec::new()).await;
    assert_eq!(refused, Err(DeployError::of(FailureClass::Rejected)));
}

#[tokio::test]
async fn an_old_gateway_takes_none() {
    let gateway = gateway(GatewaySettings { protocol: 3, store: false, ..paired() }).await;
    assert_eq!(deploy(&gateway, Vec::new()).await, Err(DeployError::of(FailureClass::UnsupportedRuntime)));
}

fn at(hermes: &Hermes) -> RuntimeAddress {
    RuntimeAddress { kind: RuntimeKind::Hermes, token: secret("token"), ..crate::support::address(&hermes.url()) }
}

#[tokio::test]
async fn a_hermes_gets_the_whole_list() {
    let hermes = Hermes::start("token", Journal::new()).await;
    let servers =
        vec![server("acme", process(vec![value("ACME_TOKEN", "t-1")])), server("remote", remote("Bearer r-1"))];
    runtimes().deploy(&at(&hermes), &deployment(servers)).await.unwrap();
    let expected = json!({
        "nora-acme": { "command": "acme-mcp", "args": ["--stdio"], "env": { "ACME_TOKEN": "t-1" } },
        "nora-remote": { "url": "https://mcp.acme.example/mcp", "headers": { "Authorization": "Bearer r-1" } },
    });
    assert_eq!(Value::Object(hermes.servers()), expected);
    runtimes().deploy(&at(&hermes), &deployment(Vec::new())).await.unwrap();
    assert!(hermes.servers().is_empty());
}

#[tokio::test]
async fn a_hermes_with_servers_of_others_keeps_them() {
    let hermes = Hermes::start("token", Journal::new()).await;
    hermes.serve("theirs", json!({ "command": "their-mcp" }));
    let refused = runtimes().deploy(&at(&hermes), &deployment(Vec::new())).await;
    assert_eq!(refused, Err(DeployError::of(FailureClass::Conflict)));
    assert_eq!(hermes.servers().keys().collect::<Vec<_>>(), ["theirs"]);
}
