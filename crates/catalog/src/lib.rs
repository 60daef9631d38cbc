#![doc = include_str!("../README.md")]

mod catalog;
mod describe;
mod entry;
mod listing;
mod parse;
mod violation;

pub use catalog::{Catalog, CatalogError, Options};
pub use entry::Entry;
pub use listing::{Filter, Listing};
pub use parse::Parsed;
pub use violation::Violation;
