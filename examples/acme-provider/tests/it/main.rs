//! Acme's providers, held to the suite every provider must pass.

mod conformance {
    nora_provider_testkit::conformance!(acme_provider::all().unwrap());
}
