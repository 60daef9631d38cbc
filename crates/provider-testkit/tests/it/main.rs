//! The suite, tried on providers that are right and on providers that are wrong in one way each.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod context;
mod fuzz;
mod mutants;
mod webhook_mutants;
