//! What every provider must do.

nora_provider_testkit::conformance!(nora_provider_aws::providers().unwrap());
