//! What names the account behind a credential.

use super::answer::Answer;
use crate::Account;
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::Text;
use crate::template::{Lookup, Names, Origin};
use crate::values::Values;

/// A text made of an answer.
#[derive(Debug, Clone)]
pub(super) struct AccountTemplate(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Pointer(String),
    Header(String),
    Field(String),
}

impl AccountTemplate {
    pub(super) fn parse(text: &Text, names: &Names) -> Checked<Self> {
        if text.get_ref().starts_with('/') {
            return Ok(Self(vec![Piece::Pointer(text.get_ref().clone())]));
        }
        let mut pieces = Vec::new();
        let mut rest = text.get_ref().as_str();
        while let Some((before, from)) = rest.split_once('{') {
            let (inside, after) = from.split_once('}').ok_or_else(|| Problem::with(text, "a brace is not closed"))?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(piece(inside, names).map_err(|reason| Problem::with(text, reason))?);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
            return Err(Problem::with(
                text,
                "an account is named by the answer: a JSON Pointer, or a text with some in braces",
            ));
        }
        Ok(Self(pieces))
    }

    /// The text, if every part of it has a value.
    fn render(&self, answer: &Answer, values: &Values<'_>) -> Option<String> {
        self.0
            .iter()
            .map(|piece| piece.render(answer, values).filter(|text| !text.trim().is_empty() || piece.is_text()))
            .collect()
    }
}

fn piece(inside: &str, names: &Names) -> Result<Piece, String> {
    if inside.starts_with('/') {
        return Ok(Piece::Pointer(inside.to_owned()));
    }
    if let Some(header) = inside.strip_prefix("header:") {
        return Ok(Piece::Header(header.to_ascii_lowercase()));
    }
    names.check(inside)?;
    match names.origin(inside) {
        Some(Origin::Field(_)) if !names.is_secret(inside) => Ok(Piece::Field(inside.to_owned())),
        _ => Err(format!("`{{{inside}}}` is a secret or no field; an account is shown to people")),
    }
}

impl Piece {
    const fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    fn render(&self, answer: &Answer, values: &Values<'_>) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Pointer(pointer) => answer.scalar_at(pointer),
            Self::Header(name) => answer.response.header(name).map(str::to_owned),
            Self::Field(name) => values.value(name).ok().map(|value| value.expose().to_owned()),
        }
    }
}

/// The account, from the first template that has all its parts. A text that repeats a secret is not shown, whatever
/// the service meant by it.
pub(super) fn account(templates: &[AccountTemplate], answer: &Answer, values: &Values<'_>) -> Option<Account> {
    let text = templates.iter().find_map(|template| template.render(answer, values))?;
    if values.hold_secret_of(&text) { None } else { Account::new(&text) }
}
