//! What every provider must do.

nora_provider_testkit::conformance!(nora_provider_google::providers().unwrap());

#[test]
fn every_service_is_there() {
    let providers = nora_provider_google::providers().unwrap();
    let ids: Vec<&str> = providers.iter().map(|provider| provider.manifest().id().as_str()).collect();
    let expected = ["gcp", "google-sheets", "google-calendar", "google-drive", "google-analytics", "firebase"];
    assert_eq!(ids, expected);
}
