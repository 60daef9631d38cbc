//! What every provider must do.

use std::sync::Arc;

use nora_provider_sdk::manifest::ResolvedMcp;
use nora_provider_sdk::{FieldName, Provider};

nora_provider_testkit::conformance!([provider()]);

fn provider() -> Arc<dyn Provider> {
    nora_provider_postgresql::provider().unwrap()
}

#[test]
fn the_password_moves_with_host_and_port() {
    let provider = provider();
    let fields = provider.manifest().fields().iter().filter(|field| field.destination);
    assert_eq!(fields.map(|field| field.name.as_str()).collect::<Vec<_>>(), ["host", "port"]);
}

#[test]
fn the_connection_string_of_the_mcp_server_is_escaped() {
    let provider = provider();
    let mut values = provider.manifest().example().unwrap().clone();
    values.insert("password".to_owned(), serde_json::json!("a/b@c:d?e"));
    let (config, secrets) = provider.manifest().split(&values);
    let connection = nora_provider_sdk::Connection::new(provider.manifest(), &config, &secrets);
    let resolved = provider.manifest().resolve_mcp(&connection).unwrap().unwrap();
    let ResolvedMcp::Stdio { env, .. } = resolved else { panic!("a process") };
    let expected = "postgresql://app:a%2Fb%40c%3Ad%3Fe@db.example.com:5432/orders?sslmode=prefer";
    assert_eq!(env.iter().map(|value| value.value.expose()).collect::<Vec<_>>(), [expected]);
    assert_eq!(env[0].secret.as_ref().map(FieldName::as_str), Some("password"));
}
