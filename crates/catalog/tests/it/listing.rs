//! Lists: their order, their filters, and entity tags that only change with the bytes.

use std::sync::Arc;

use nora_catalog::{Catalog, Filter};
use nora_provider_sdk::Provider;

use crate::support::{build, catalog, ids, json, listed};

fn providers() -> [Arc<dyn Provider>; 5] {
    [
        listed("zeta", "Zeta", "data", "token"),
        listed("mail", "beta Mail", "communication", "apikey"),
        listed("chat", "Delta Chat", "communication", "token"),
        listed("abacus", "Zeta", "data", "basic"),
        listed("calendar", "Calendar", "productivity", "oauth"),
    ]
}

fn found(catalog: &Catalog, filter: &Filter<'_>) -> Vec<String> {
    ids(&catalog.list(filter))
}

fn category(category: &str) -> Filter<'_> {
    Filter { category: Some(category), ..Filter::default() }
}

fn words(text: &str) -> Filter<'_> {
    Filter { text: Some(text), ..Filter::default() }
}

#[test]
fn everything_is_listed_by_category_and_then_by_name() {
    let catalog = catalog(providers());
    assert_eq!(found(&catalog, &Filter::default()), ["mail", "chat", "abacus", "zeta", "calendar"]);
}

#[test]
fn a_list_holds_the_items_as_they_are() {
    let catalog = catalog(providers());
    let all = json(&catalog.list(&Filter::default()));
    for item in all.as_array().unwrap() {
        let entry = catalog.entry(item["id"].as_str().unwrap()).unwrap();
        assert_eq!(&json(entry.item()), item);
    }
}

#[test]
fn a_category_filters() {
    let catalog = catalog(providers());
    assert_eq!(found(&catalog, &category("communication")), ["mail", "chat"]);
    assert_eq!(found(&catalog, &category("data")), ["abacus", "zeta"]);
}

#[test]
fn an_unknown_category_is_an_empty_array_with_a_tag_of_its_own() {
    let catalog = catalog(providers());
    let nothing = catalog.list(&category("Communication"));
    assert_eq!(&nothing.body[..], b"[]");
    let others = [Filter::default(), category("data"), category("productivity")];
    assert!(others.iter().all(|filter| catalog.list(filter).etag != nothing.etag));
    assert_eq!(catalog.list(&category("")).etag, nothing.etag);
}

#[test]
fn words_are_found_in_id_name_and_description_in_any_case() {
    let catalog = catalog(providers());
    assert_eq!(found(&catalog, &words("ABACUS")), ["abacus"]);
    assert_eq!(found(&catalog, &words("delta")), ["chat"]);
    assert_eq!(found(&catalog, &words("tasks")).len(), 5);
    assert_eq!(found(&catalog, &words("  mail   acme ")), ["mail"], "every word, wherever it stands");
    assert_eq!(found(&catalog, &words("mail chat")), [""; 0]);
    assert_eq!(found(&catalog, &words("zet")), ["abacus", "zeta"], "a part of a word is enough");
    assert_eq!(found(&catalog, &words("%")), [""; 0]);
}

#[test]
fn a_search_for_nothing_finds_everything() {
    let catalog = catalog(providers());
    for text in ["", "  "] {
        assert_eq!(catalog.list(&words(text)).etag, catalog.list(&Filter::default()).etag);
    }
}

#[test]
fn an_authentication_type_filters() {
    let catalog = catalog(providers());
    let of = |auth_type| Filter { auth_type: Some(auth_type), ..Filter::default() };
    assert_eq!(found(&catalog, &of("token")), ["chat", "zeta"]);
    assert_eq!(found(&catalog, &of("webhook_url")), [""; 0]);
}

#[test]
fn filters_add_up() {
    let catalog = catalog(providers());
    let filter = |category, text, auth_type| Filter { category, text, auth_type };
    assert_eq!(found(&catalog, &filter(Some("data"), Some("zeta"), Some("basic"))), ["abacus"]);
    assert_eq!(found(&catalog, &filter(Some("data"), None, Some("token"))), ["zeta"]);
    assert_eq!(found(&catalog, &filter(Some("data"), Some("chat"), None)), [""; 0]);
    assert_eq!(found(&catalog, &filter(None, Some("delta"), Some("basic"))), [""; 0]);
}

#[test]
fn the_same_providers_have_the_same_tags() {
    let mut reversed = providers();
    reversed.reverse();
    let (one, other) = (catalog(providers()), catalog(reversed));
    for filter in [Filter::default(), category("data"), category("nothing"), words("zeta")] {
        let (one, other) = (one.list(&filter), other.list(&filter));
        assert_eq!((&one.etag, &one.body), (&other.etag, &other.body));
    }
}

#[test]
fn other_bytes_have_other_tags() {
    let (one, other) = (catalog(providers()), build(providers(), &["zeta"]).unwrap());
    let differ = |filter: Filter<'_>| one.list(&filter).etag != other.list(&filter).etag;
    assert!(differ(Filter::default()) && differ(category("data")));
    assert!(!differ(category("communication")), "nothing in it has changed");
    assert_ne!(one.entry("zeta").unwrap().item().etag, other.entry("zeta").unwrap().item().etag);
    assert_eq!(one.entry("mail").unwrap().item().etag, other.entry("mail").unwrap().item().etag);
}

#[test]
fn a_tag_is_strong_and_quoted() {
    let tag = catalog(providers()).list(&Filter::default()).etag;
    let digits = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap();
    assert_eq!(digits.len(), 32);
    assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
}

#[test]
fn an_empty_catalog_is_an_empty_array() {
    assert_eq!(&catalog([]).list(&Filter::default()).body[..], b"[]");
}
