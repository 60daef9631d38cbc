//! Listings: JSON arrays as shared bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use nora_kernel::Digest;

use crate::Entry;

/// Which providers are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Only those of this category.
    pub category: Option<&'a str>,
    /// Only those whose id, name or description holds every word of this text, in any case.
    pub text: Option<&'a str>,
    /// Only those with this `auth_type`.
    pub auth_type: Option<&'a str>,
}

impl Filter<'_> {
    pub(crate) fn admits(&self, entry: &Entry) -> bool {
        let manifest = entry.manifest();
        let category = self.category.is_none_or(|category| manifest.category() == category);
        let auth_type = self.auth_type.is_none_or(|auth_type| manifest.auth_type().as_str() == auth_type);
        category && auth_type && self.text.is_none_or(|text| entry.holds_words(text))
    }
}

/// A JSON document as shared bytes with its entity tag.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The document.
    pub body: Bytes,
    /// The strong entity tag, quotes included.
    pub etag: Arc<str>,
}

impl Listing {
    /// A document, tagged by its digest.
    pub fn new(body: Bytes, digest: &dyn Digest) -> Self {
        let etag = entity_tag(&body, digest);
        Self { body, etag }
    }

    pub(crate) fn of(entries: &[&Arc<Entry>], digest: &dyn Digest) -> Self {
        let size = entries.iter().map(|entry| entry.item().body.len() + 1).sum::<usize>() + 2;
        let mut body = Vec::with_capacity(size);
        body.push(b'[');
        for (position, entry) in entries.iter().enumerate() {
            if position > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&entry.item().body);
        }
        body.push(b']');
        Self::new(body.into(), digest)
    }
}

fn entity_tag(body: &[u8], digest: &dyn Digest) -> Arc<str> {
    let mut tag = String::with_capacity(34);
    tag.push('"');
    for byte in digest.sha256(body).iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag.into()
}

/// The contract's order: by category, then by name.
pub(crate) fn sorted<'a>(entries: impl IntoIterator<Item = &'a Arc<Entry>>) -> Vec<&'a Arc<Entry>> {
    let mut sorted: Vec<_> = entries.into_iter().collect();
    sorted.sort_by_cached_key(|entry| {
        let manifest = entry.manifest();
        (manifest.category().to_owned(), manifest.name().to_lowercase(), manifest.id().clone())
    });
    sorted
}

pub(crate) fn by_category(sorted: &[&Arc<Entry>], digest: &dyn Digest) -> BTreeMap<String, Listing> {
    let mut categories: BTreeMap<String, Vec<&Arc<Entry>>> = BTreeMap::new();
    for entry in sorted {
        categories.entry(entry.manifest().category().to_owned()).or_default().push(entry);
    }
    categories.into_iter().map(|(category, entries)| (category, Listing::of(&entries, digest))).collect()
}
