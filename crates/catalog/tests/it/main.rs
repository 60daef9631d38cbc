//! The catalog as clients see it, and its parser.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod build;
mod describe;
mod hostile;
mod listing;
mod parse;
mod secrets;
mod standard;
mod support;
mod violations;
