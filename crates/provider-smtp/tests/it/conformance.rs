//! What every provider must do.

use std::sync::Arc;

use nora_provider_sdk::manifest::ResolvedMcp;
use nora_provider_sdk::{Connection, Provider};
use serde_json::json;

nora_provider_testkit::conformance!([provider()]);

fn provider() -> Arc<dyn Provider> {
    nora_provider_smtp::provider().unwrap()
}

#[test]
fn the_password_moves_with_hosts_port_and_security() {
    let provider = provider();
    let fields = provider.manifest().fields().iter().filter(|field| field.destination);
    let names = fields.map(|field| field.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["smtp_host", "smtp_port", "security", "imap_host"]);
}

#[test]
fn the_mcp_server_is_told_which_tls_it_is() {
    let provider = provider();
    for (security, expected) in [("starttls", ["false", "true"]), ("tls", ["true", "false"]), ("none", ["false"; 2])] {
        let mut values = provider.manifest().example().unwrap().clone();
        values.insert("security".to_owned(), json!(security));
        values.insert("imap_host".to_owned(), json!("imap.example.com"));
        let (config, secrets) = provider.manifest().split(&values);
        let connection = Connection::new(provider.manifest(), &config, &secrets);
        let resolved = provider.manifest().resolve_mcp(&connection).unwrap().unwrap();
        let ResolvedMcp::Stdio { env, .. } = resolved else { panic!("a process") };
        let value = |name: &str| env.iter().find(|value| value.name == name).unwrap().value.expose();
        assert_eq!([value("MCP_EMAIL_SMTP_TLS"), value("MCP_EMAIL_SMTP_STARTTLS")], expected, "{security}");
    }
}

#[test]
fn the_mcp_server_waits_for_an_imap_host() {
    let provider = provider();
    let (config, secrets) = provider.manifest().split(provider.manifest().example().unwrap());
    let connection = Connection::new(provider.manifest(), &config, &secrets);
    assert!(provider.manifest().resolve_mcp(&connection).unwrap().is_err());
}
