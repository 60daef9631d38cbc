#![doc = include_str!("../README.md")]
#![expect(clippy::expect_used, reason = "a test without its database fails by panicking")]

mod admin;
mod database;
mod migrations;
mod sweep;
mod template;

pub use database::TestDatabase;
