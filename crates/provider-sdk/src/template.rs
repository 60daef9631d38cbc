//! Texts with `{name}` in them.

mod escape;
mod names;
mod url;

use std::fmt;

use nora_kernel::Secret;

use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::Text;

pub(crate) use escape::{Escape, is_header_text};
pub(crate) use names::{HostUse, Names, Origin};
pub(crate) use url::{UrlTemplate, present};

/// A text with named holes, parsed once.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// A hole for the value of this name.
    Value(String),
}

/// Why a template could not be filled in. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RenderError {
    /// The name whose value is the matter.
    pub(crate) name: String,
    pub(crate) kind: RenderErrorKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RenderErrorKind {
    /// There is no value.
    Missing,
    /// The value cannot stand where the template puts it.
    Unfit(&'static str),
}

impl RenderError {
    pub(crate) fn missing(name: &str) -> Self {
        Self { name: name.to_owned(), kind: RenderErrorKind::Missing }
    }

    pub(crate) fn unfit(name: &str, detail: &'static str) -> Self {
        Self { name: name.to_owned(), kind: RenderErrorKind::Unfit(detail) }
    }
}

/// Where the values of names come from.
pub(crate) trait Lookup {
    /// The value of `name`. An empty one counts as missing.
    fn value(&self, name: &str) -> Result<Secret, RenderError>;
}

/// What a brace that encloses no name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Braces {
    /// It is a brace.
    Literal,
    /// It is an error.
    Refused,
}

impl Template {
    /// Parses `text` and refuses names that `names` does not know.
    pub(crate) fn parse(text: &Text, names: &Names, braces: Braces) -> Checked<Self> {
        let template = Self::split(text.get_ref(), braces).map_err(|reason| Problem::with(text, reason))?;
        template.check_names(names).map_err(|reason| Problem::with(text, reason))?;
        Ok(template)
    }

    /// A template of these parts.
    pub(crate) const fn from_parts(source: String, parts: Vec<Part>) -> Self {
        Self { source, parts }
    }

    /// Splits `text` at its holes.
    pub(crate) fn split(text: &str, braces: Braces) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (before, from_brace) = rest.split_at(open);
            literal.push_str(before);
            match hole(from_brace) {
                Some((name, after)) => {
                    push_text(&mut parts, &mut literal);
                    parts.push(Part::Value(name.to_owned()));
                    rest = after;
                }
                None if braces == Braces::Refused => {
                    return Err(
                        "a brace here encloses the name of a field: lower-case letters, digits and `_`".to_owned()
                    );
                }
                None => {
                    let (brace, after) = from_brace.split_at(1);
                    literal.push_str(brace);
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        push_text(&mut parts, &mut literal);
        Ok(Self { source: text.to_owned(), parts })
    }

    /// The template with every literal text changed by `change`.
    pub(crate) fn map_text(mut self, change: impl Fn(&str) -> String) -> Self {
        for part in &mut self.parts {
            if let Part::Text(text) = part {
                *text = change(text);
            }
        }
        self
    }

    fn check_names(&self, names: &Names) -> Result<(), String> {
        for name in self.names() {
            names.check(name)?;
        }
        Ok(())
    }

    /// The text the template was parsed from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The pieces, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The names of the holes, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Fills the holes in.
    pub(crate) fn render(&self, values: &dyn Lookup, escape: Escape) -> Result<Secret, RenderError> {
        let mut pieces = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            pieces.push(match part {
                Part::Text(text) => Secret::new(text.clone()),
                Part::Value(name) => {
                    escape.apply(values.value(name)?).map_err(|detail| RenderError::unfit(name, detail))?
                }
            });
        }
        Ok(join(&pieces))
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Template({:?})", self.source)
    }
}

/// Joins texts in memory that is taken once, so that no copy of a secret is left behind by growing.
pub(crate) fn join(pieces: &[Secret]) -> Secret {
    let length = pieces.iter().map(|piece| piece.expose().len()).sum();
    let mut whole = String::with_capacity(length);
    for piece in pieces {
        whole.push_str(piece.expose());
    }
    Secret::new(whole)
}

fn push_text(parts: &mut Vec<Part>, literal: &mut String) {
    if !literal.is_empty() {
        parts.push(Part::Text(std::mem::take(literal)));
    }
}

/// The name in braces at the start of `text`, and what follows it.
fn hole(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let looks_like_a_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    looks_like_a_name.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        Template::split(text, Braces::Literal).unwrap().parts
    }

    #[test]
    fn holes_are_names_in_braces() {
        let [text, value] = [|text: &str| Part::Text(text.to_owned()), |text: &str| Part::Value(text.to_owned())];
        assert_eq!(parts("Bearer {token}"), [text("Bearer "), value("token")]);
        assert_eq!(parts("{a}{b}"), [value("a"), value("b")]);
        assert_eq!(parts("{ viewer { id } }"), [text("{ viewer { id } }")]);
        assert_eq!(parts("{\"a\":\"{b}\"}"), [text("{\"a\":\""), value("b"), text("\"}")]);
        assert_eq!(parts("}{"), [text("}{")]);
        assert_eq!(parts(""), []);
    }

    #[test]
    fn other_braces_are_refused_where_they_would_be_a_mistake() {
        for refused in ["https://x/{ a }", "{", "a}b", "{}"] {
            assert!(Template::split(refused, Braces::Refused).is_err(), "{refused}");
        }
    }
}
