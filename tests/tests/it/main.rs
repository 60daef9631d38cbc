//! Scenarios against the real binary, one file per subject.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a scenario fails by panicking")]

mod access;
mod boot;
mod canaries;
mod change;
mod cli;
mod crash;
mod demo;
mod drain;
mod gateways;
mod hostile;
mod keyring;
mod mcp;
mod mcp_packages;
mod reference;
mod replicas;
mod retries;
mod schemas;
mod sql;
mod storm;
mod tampering;
mod trouble;
mod walk;
mod webhooks;
