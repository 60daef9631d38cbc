//! What every provider must do.

use std::sync::Arc;

use nora_provider_sdk::Provider;

nora_provider_testkit::conformance!([provider()]);

fn provider() -> Arc<dyn Provider> {
    nora_provider_kubernetes::provider().unwrap()
}
