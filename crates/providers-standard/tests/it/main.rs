//! Every manifest, held to the suite every provider must pass.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod forgeries;

mod conformance {
    nora_provider_testkit::conformance!(nora_providers_standard::all().unwrap());
}
