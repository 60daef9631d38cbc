#![doc = include_str!("../README.md")]

mod connection;
mod context;
mod declarative;
mod destination;
mod http;
pub mod manifest;
mod outcome;
mod probe;
mod provider;
mod rehearsal;
pub mod signature;
mod status;
mod template;
mod values;
pub mod webhook;
mod when;

pub use connection::Connection;
pub use context::{Context, NetworkError, Stream, Transport};
pub use declarative::Declarative;
pub use http::{HttpClient, Method, Request, Response};
pub use manifest::{Manifest, ManifestError};
pub use outcome::{Account, Outcome, Rejection, Unreachable, Verdict};
pub use probe::RequestSummary;
pub use provider::{FieldProblem, Provider};
pub use rehearsal::{Mismatch, rehearse};
pub use template::{Part, Template};

/// The kernel's names a provider needs, so that a provider crate depends on this crate alone.
pub use nora_kernel::{Clock, EnvName, FieldName, ProviderId, Secret, SecretMap, Timestamp};
