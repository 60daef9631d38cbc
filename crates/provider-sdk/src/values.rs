//! The values templates are filled with.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_kernel::Secret;

use crate::Connection;
use crate::destination::is_label;
use crate::manifest::FieldKind;
use crate::template::{Escape, Lookup, RenderError, Template};

/// A value derived from a field.
#[derive(Debug)]
pub(crate) enum Var {
    /// Another word for each value of a field.
    Map { from: String, default: Option<String>, map: BTreeMap<String, String> },
    /// One label of a host name.
    Label { from: String, default: Option<String>, after_last: Option<char> },
    /// A value percent-encoded.
    Percent { from: String, default: Option<String> },
    /// The Base64 of a template.
    Base64(Template),
}

impl Var {
    /// The field it is derived from, if it is one.
    pub(crate) fn source(&self) -> Option<&str> {
        match self {
            Self::Map { from, .. } | Self::Label { from, .. } | Self::Percent { from, .. } => Some(from),
            Self::Base64(_) => None,
        }
    }

    /// Whether it is made of the value of `field`.
    pub(crate) fn reads(&self, field: &str) -> bool {
        match self {
            Self::Map { from, .. } | Self::Label { from, .. } | Self::Percent { from, .. } => from == field,
            Self::Base64(template) => template.names().any(|name| name == field),
        }
    }

    fn value(&self, name: &str, values: &dyn Lookup) -> Result<Secret, RenderError> {
        match self {
            Self::Map { from, default, map } => {
                let source = source(values, from, default.as_deref())?;
                let mapped =
                    map.get(source.expose()).ok_or_else(|| RenderError::unfit(from, "is not a known value"))?;
                Ok(Secret::new(mapped.clone()))
            }
            Self::Label { from, default, after_last } => {
                let source = source(values, from, default.as_deref())?;
                label(source.expose(), *after_last).ok_or_else(|| {
                    RenderError::unfit(from, "does not hold a label of a host name where one is expected")
                })
            }
            Self::Percent { from, default } => {
                let source = source(values, from, default.as_deref())?;
                Escape::Query.apply(source).map_err(|detail| RenderError::unfit(from, detail))
            }
            Self::Base64(template) => match template.render(values, Escape::Nothing) {
                Ok(text) => Ok(Secret::new(STANDARD.encode(text.expose()))),
                Err(_) => Err(RenderError::missing(name)),
            },
        }
    }
}

fn source(values: &dyn Lookup, from: &str, default: Option<&str>) -> Result<Secret, RenderError> {
    values.value(from).or_else(|error| default.map(|text| Secret::new(text.to_owned())).ok_or(error))
}

fn label(text: &str, after_last: Option<char>) -> Option<Secret> {
    let part = match after_last {
        Some(mark) => text.rsplit_once(mark)?.1,
        None => text,
    };
    let label = part.to_ascii_lowercase();
    is_label(&label).then(|| Secret::new(label))
}

/// The values of one connection, and what was saved from answers so far.
pub(crate) struct Values<'a> {
    connection: Connection<'a>,
    vars: &'a BTreeMap<String, Var>,
    saved: BTreeMap<String, Secret>,
}

impl<'a> Values<'a> {
    pub(crate) fn new(connection: Connection<'a>, vars: &'a BTreeMap<String, Var>) -> Self {
        Self { connection, vars, saved: BTreeMap::new() }
    }

    pub(crate) fn connection(&self) -> Connection<'a> {
        self.connection
    }

    pub(crate) fn save(&mut self, name: &str, value: Secret) {
        self.saved.insert(name.to_owned(), value);
    }

    /// Whether `text` holds a secret of the connection, or one that was saved.
    pub(crate) fn hold_secret_of(&self, text: &str) -> bool {
        let entered = self.connection.secrets().iter().map(|(_, secret)| secret);
        entered.chain(self.saved.values()).any(|secret| !secret.is_empty() && text.contains(secret.expose()))
    }
}

impl Lookup for Values<'_> {
    fn value(&self, name: &str) -> Result<Secret, RenderError> {
        if let Some(saved) = self.saved.get(name) {
            return Ok(saved.duplicate());
        }
        if let Some(var) = self.vars.get(name) {
            return var.value(name, self);
        }
        let field = self.connection.manifest().field(name);
        let value = self.connection.value(name).filter(|value| !value.is_empty());
        let value = value.ok_or_else(|| RenderError::missing(name))?;
        // What follows a base URL begins with a slash of its own.
        match field.map(|field| &field.kind) {
            Some(FieldKind::BaseUrl) => Ok(Secret::new(value.expose().trim_end_matches('/').to_owned())),
            _ => Ok(value),
        }
    }
}
