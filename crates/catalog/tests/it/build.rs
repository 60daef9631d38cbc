//! Nothing starts with half a catalog.

use nora_catalog::CatalogError;
use nora_provider_sdk::Declarative;

use crate::support::{ACME, DATABASE, FEED, VAULT, build, catalog, listed, provider};

#[test]
fn every_provider_is_found_by_its_id() {
    let catalog = catalog([ACME, VAULT, DATABASE, FEED].map(provider));
    let ids: Vec<_> = catalog.entries().map(|entry| entry.manifest().id().as_str()).collect();
    assert_eq!(ids, ["acme", "database", "feed", "strongbox"]);
    assert_eq!(catalog.entry("feed").unwrap().manifest().name(), "Feed");
    for unknown in ["", "Feed", "feed ", "fee"] {
        assert!(catalog.entry(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn two_providers_have_two_ids() {
    let twice = [listed("acme", "One", "data", "token"), listed("acme", "Other", "data", "token")];
    match build(twice, &[]) {
        Err(CatalogError::DuplicateId(id)) => assert_eq!(id.as_str(), "acme"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn two_fields_never_set_one_variable() {
    let text = ACME.replace("ACME_URL", "ACME_TOKEN");
    let refused = Declarative::parse("acme.toml", &text).unwrap_err().to_string();
    assert!(refused.contains("two fields set this variable"), "no catalog is shown such a manifest: {refused}");
}

#[test]
fn a_disabled_provider_is_shown_and_cannot_be_connected() {
    let catalog = build([ACME, FEED].map(provider), &["feed", "nobody"]).unwrap();
    let flags = ["acme", "feed"].map(|id| {
        let entry = catalog.entry(id).unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&entry.item().body).unwrap();
        (entry.is_enabled(), shown["enabled"].as_bool())
    });
    assert_eq!(flags, [(true, Some(true)), (false, Some(false))]);
}
