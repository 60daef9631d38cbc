//! The real server and real runtimes of others: proofs by effect, not by what anybody answers.
//!
//! No part of the everyday run: `cargo xtask test --real-runtimes` installs the runtimes and runs this.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a proof fails by panicking")]

mod hermes;
mod model;
mod openclaw;
mod place;
mod program;

/// Says what was proved; whoever runs this wants to read it.
#[expect(clippy::print_stdout, reason = "the proof is what this run is for")]
fn proved(what: &str) {
    println!("proved: {what}");
}
