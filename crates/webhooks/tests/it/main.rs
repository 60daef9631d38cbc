//! Delivery, over stores that are plain maps and a runtime that does what a test says.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod delivering;
mod looking_up;
mod replaying;
mod support;
