//! Why a manifest was refused.

use std::ops::Range;

use toml::Spanned;

use crate::Mismatch;

/// A manifest that cannot be used, and the place in its file where that shows.
///
/// Displayed as `FILE:LINE:COLUMN: REASON`, which editors and terminals link to the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {reason}")]
pub struct ManifestError {
    /// The file's name, as it was given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

impl ManifestError {
    /// An error about the id of a manifest that is good otherwise, such as one that is taken.
    pub fn about_id(file: &str, text: &str, reason: String) -> Self {
        let head: Option<Head> = toml::from_str(text).ok();
        Self::at(file, text, head.map_or(0, |head| head.id.span().start), reason)
    }

    /// An error about a case or a vector of a manifest that is good otherwise: it does not end as it says.
    ///
    /// ```
    /// use nora_provider_sdk::{ManifestError, Mismatch};
    ///
    /// let text = "id = \"acme\"\n\n[[cases]]\nname = \"a wrong key\"\n";
    /// let mismatch = Mismatch { case: "a wrong key".to_owned(), detail: "expected auth, came to verified".to_owned() };
    /// let error = ManifestError::about_case("acme.toml", text, &mismatch);
    /// assert_eq!(error.to_string(), "acme.toml:4:8: case \"a wrong key\": expected auth, came to verified");
    /// ```
    pub fn about_case(file: &str, text: &str, mismatch: &Mismatch) -> Self {
        let at = text.find(&format!("{:?}", mismatch.case)).unwrap_or(0);
        Self::at(file, text, at, mismatch.to_string())
    }

    /// An error at byte `offset` of `text`.
    pub(crate) fn at(file: &str, text: &str, offset: usize, reason: String) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { file: file.to_owned(), line, column, reason }
    }
}

/// The part of a manifest that says whose it is.
#[derive(serde::Deserialize)]
struct Head {
    id: Spanned<String>,
}

/// What is wrong, and which bytes of the file say so.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) span: Range<usize>,
    pub(crate) reason: String,
}

pub(crate) type Checked<T> = Result<T, Problem>;

impl Problem {
    pub(crate) fn new(span: Range<usize>, reason: impl Into<String>) -> Self {
        Self { span, reason: reason.into() }
    }

    /// A problem with this value.
    pub(crate) fn with<T>(value: &Spanned<T>, reason: impl Into<String>) -> Self {
        Self::new(value.span(), reason)
    }
}
