//! Secrets: values that are never shown.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::FieldName;

/// A secret text, such as a token, a password or a private key.
///
/// It has no `Serialize`, no `Display`, no `Clone` and no `PartialEq`, its `Debug` is blind, and its memory is
/// overwritten when it is dropped. Whoever needs the text says so with [`expose`](Self::expose).
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes ownership of `text`; nothing is copied.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Call it at the last moment and do not keep what it returns.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second copy for a second owner, said out loud because `Clone` would not be.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(***)")
    }
}

/// Every secret of one integration, by field.
#[derive(Debug, Default)]
pub struct SecretMap(BTreeMap<FieldName, Secret>);

impl SecretMap {
    /// A map with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a secret in, over an older one.
    pub fn insert(&mut self, field: FieldName, secret: Secret) {
        self.0.insert(field, secret);
    }

    /// Takes a secret out.
    pub fn remove(&mut self, field: &str) -> Option<Secret> {
        self.0.remove(field)
    }

    /// The secret of `field`.
    pub fn get(&self, field: &str) -> Option<&Secret> {
        self.0.get(field)
    }

    /// Whether there is a secret for `field`.
    pub fn contains(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// The fields, in order of their names.
    pub fn fields(&self) -> impl Iterator<Item = &FieldName> {
        self.0.keys()
    }

    /// Fields and secrets, in order of the fields' names.
    pub fn iter(&self) -> impl Iterator<Item = (&FieldName, &Secret)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<(FieldName, Secret)> for SecretMap {
    fn from_iter<I: IntoIterator<Item = (FieldName, Secret)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() -> Result<(), crate::InvalidName> {
        let secrets = SecretMap::from_iter([("token".parse()?, Secret::new("hunter2".to_owned()))]);
        let shown = format!("{secrets:?} {secrets:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("token"), "field names are no secret: {shown}");
        Ok(())
    }
}
