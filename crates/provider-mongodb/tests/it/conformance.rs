//! What every provider must do.

use std::sync::Arc;

use nora_provider_sdk::{Connection, Provider, Secret, SecretMap};
use serde_json::Map;

nora_provider_testkit::conformance!([provider()]);

fn provider() -> Arc<dyn Provider> {
    nora_provider_mongodb::provider().unwrap()
}

#[test]
fn a_connection_string_is_checked_before_it_is_stored() {
    let provider = provider();
    let problems = |uri: &str| {
        let secrets: SecretMap =
            [("connection_string".parse().unwrap(), Secret::new(uri.to_owned()))].into_iter().collect();
        provider.check(&Connection::new(provider.manifest(), &Map::new(), &secrets))
    };
    for good in ["mongodb://app:word@db.example.com", "mongodb+srv://app:word@cluster.example.com/?retryWrites=true"] {
        assert_eq!(problems(good), [], "{good}");
    }
    for bad in ["postgresql://app:canary@db.example.com", "mongodb://app:can@ry@db.example.com", "mongodb://app:\n@x"] {
        let found = problems(bad);
        assert_eq!(found.len(), 1, "{bad}");
        assert_eq!(found[0].field.as_str(), "connection_string");
        assert!(!found[0].detail.contains("can@ry"));
    }
}
