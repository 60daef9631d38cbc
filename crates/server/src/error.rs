//! Why the process does not start.

use std::fmt::Write as _;

use nora_kernel::BoxError;

/// Why the process does not start: one line for the operator that names the setting and not its value, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StartError {
    message: String,
    #[source]
    source: Option<BoxError>,
}

impl StartError {
    /// An error that needs no cause.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// An error with its cause.
    pub fn because(message: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }

    /// The message and every cause in one line.
    pub fn line(&self) -> String {
        let mut line = self.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Writing to a string cannot fail.
            let _ = write!(line, ": {error}");
            cause = error.source();
        }
        line.replace(['\n', '\r'], " ")
    }
}

/// An error as a log line wants it: its causes are logged with it.
pub(crate) fn cause<'a>(error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    error
}
