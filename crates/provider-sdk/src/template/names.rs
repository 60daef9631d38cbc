//! The one namespace of a manifest's templates.

use std::collections::BTreeMap;

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A field.
    Field(HostUse),
    /// An entry of `[vars]`.
    Var(HostUse),
    /// A value saved from an answer.
    Saved,
}

/// Whether and how a name may stand in the host part of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostUse {
    /// Not at all.
    Never,
    /// It is a whole origin with a path prefix, and begins the URL. Its host lies under one of these domains (each with
    /// its leading dot), if there are any.
    Origin(Vec<String>),
    /// It is the whole host, and lies under one of these domains, if there are any.
    Host(Vec<String>),
    /// It is the label in front of this domain (with its leading dot).
    LabelBefore(String),
    /// It is one of the texts the manifest itself lists: anywhere in a host.
    Listed,
    /// It is checked to be one label: anywhere in a host that ends in a domain the manifest writes out.
    Label,
}

/// Every name a template may use, and where each comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<String, Entry>);

#[derive(Debug, Clone)]
struct Entry {
    origin: Origin,
    secret: bool,
}

impl Names {
    /// Adds a name.
    ///
    /// # Errors
    ///
    /// The name is taken.
    pub(crate) fn add(&mut self, name: &str, origin: Origin, secret: bool) -> Result<(), String> {
        match self.0.insert(name.to_owned(), Entry { origin, secret }) {
            None => Ok(()),
            Some(_) => {
                Err(format!("the name `{name}` is used twice; fields, vars and saved values share one namespace"))
            }
        }
    }

    /// Refuses a name that is not known.
    pub(crate) fn check(&self, name: &str) -> Result<(), String> {
        if self.0.contains_key(name) {
            return Ok(());
        }
        let known = self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(format!("`{{{name}}}` is no field, var or saved value; known here: {known}"))
    }

    /// Where a name comes from.
    pub(crate) fn origin(&self, name: &str) -> Option<&Origin> {
        self.0.get(name).map(|entry| &entry.origin)
    }

    /// How a name may stand in a host.
    pub(crate) fn host_use(&self, name: &str) -> &HostUse {
        match self.origin(name) {
            Some(Origin::Field(usage) | Origin::Var(usage)) => usage,
            Some(Origin::Saved) | None => &HostUse::Never,
        }
    }

    /// Whether the value is a secret, or made of one.
    pub(crate) fn is_secret(&self, name: &str) -> bool {
        self.0.get(name).is_none_or(|entry| entry.secret)
    }
}
