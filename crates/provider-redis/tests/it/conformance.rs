//! What every provider must do.

use std::sync::Arc;

use nora_provider_sdk::manifest::ResolvedMcp;
use nora_provider_sdk::{Connection, Provider};
use serde_json::json;

nora_provider_testkit::conformance!([provider()]);

fn provider() -> Arc<dyn Provider> {
    nora_provider_redis::provider().unwrap()
}

#[test]
fn the_password_moves_with_host_port_and_tls() {
    let provider = provider();
    let fields = provider.manifest().fields().iter().filter(|field| field.destination);
    assert_eq!(fields.map(|field| field.name.as_str()).collect::<Vec<_>>(), ["host", "port", "tls"]);
}

/// Its tools assume that there is no TLS, so they are told even where nobody chose.
#[test]
fn the_mcp_server_is_told_about_tls() {
    let provider = provider();
    for (values, expected) in [
        (json!({ "host": "cache.example.com", "password": "example-password" }), ("true", true)),
        (json!({ "host": "cache.example.com", "tls": false }), ("false", false)),
    ] {
        let (config, secrets) = provider.manifest().split(&serde_json::from_value(values).unwrap());
        let connection = Connection::new(provider.manifest(), &config, &secrets);
        let resolved = provider.manifest().resolve_mcp(&connection).unwrap().unwrap();
        let ResolvedMcp::Stdio { env, .. } = resolved else { panic!("a process") };
        let value = |name: &str| env.iter().find(|value| value.name == name).map(|value| value.value.expose());
        assert_eq!(value("REDIS_SSL"), Some(expected.0));
        assert_eq!(value("REDIS_PWD").is_some(), expected.1);
    }
}
