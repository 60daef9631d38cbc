#![doc = include_str!("../README.md")]
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a contract failure is a panic")]
#![expect(clippy::missing_panics_doc, reason = "everything here panics when a test is wrong or fails")]

pub mod contract;
mod fixed;
mod intake;
mod memory;
pub mod samples;
mod scene;
mod stores;
mod vault;

pub use fixed::{ManualClock, PlainDigest, SequentialBytes, SequentialIds};
pub use intake::DirectIntake;
pub use memory::{InMemory, InMemoryFixture};
pub use samples::Samples;
pub use stores::{Fixture, Stores};
pub use vault::PlainVault;
