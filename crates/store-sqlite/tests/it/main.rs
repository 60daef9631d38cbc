//! The store over real files.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

mod abandonment;
mod contention;
mod contract;
mod files;
mod fixture;
mod limits;
mod migrations;
mod plans;
mod restart;
