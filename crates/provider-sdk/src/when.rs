//! Conditions on what a person filled in.

use crate::Connection;
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::WhenEntry;
use crate::manifest::scalar;
use crate::template::{Names, Origin};

/// A condition on the fields of a connection.
#[derive(Debug, Default, Clone)]
pub(crate) struct When {
    equals: Vec<(String, String)>,
    set: Vec<String>,
    unset: Vec<String>,
    prefix: Vec<(String, String)>,
}

impl When {
    /// Parses a condition; nothing given is a condition that always holds.
    pub(crate) fn parse(entry: Option<&WhenEntry>, names: &Names) -> Checked<Self> {
        let Some(entry) = entry else { return Ok(Self::default()) };
        let field = |name: &toml::Spanned<String>| match names.origin(name.get_ref()) {
            Some(Origin::Field(_)) => Ok(name.get_ref().clone()),
            _ => Err(Problem::with(name, format!("there is no field `{}`", name.get_ref()))),
        };
        let equals = entry.equals.iter().map(|(name, value)| {
            let text =
                scalar(value).ok_or_else(|| Problem::with(name, "compare with text, a whole number or a boolean"))?;
            Ok((field(name)?, text))
        });
        Ok(Self {
            equals: equals.collect::<Checked<_>>()?,
            set: entry.set.iter().map(field).collect::<Checked<_>>()?,
            unset: entry.unset.iter().map(field).collect::<Checked<_>>()?,
            prefix: entry.prefix.iter().map(|(name, text)| Ok((field(name)?, text.clone()))).collect::<Checked<_>>()?,
        })
    }

    /// Whether nothing is asked.
    pub(crate) fn is_always(&self) -> bool {
        self.equals.is_empty() && self.set.is_empty() && self.unset.is_empty() && self.prefix.is_empty()
    }

    /// Whether the condition holds.
    pub(crate) fn holds(&self, connection: &Connection<'_>) -> bool {
        let value = |name: &str| connection.value(name);
        self.equals.iter().all(|(name, text)| value(name).is_some_and(|value| value.expose() == text))
            && self.set.iter().all(|name| connection.is_set(name))
            && self.unset.iter().all(|name| !connection.is_set(name))
            && self.prefix.iter().all(|(name, text)| value(name).is_some_and(|value| value.expose().starts_with(text)))
    }
}
