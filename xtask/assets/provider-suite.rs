//! The provider, held to the suite every provider must pass.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance {
    nora_provider_testkit::conformance!(nora_provider_@IDENT@::all().unwrap());
}
