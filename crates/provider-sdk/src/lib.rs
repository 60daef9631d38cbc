#![doc = include_str!("../README.md")]

mod attempt;
mod connection;
pub mod connection_string;
mod context;
mod declarative;
mod destination;
mod http;
pub mod manifest;
pub mod oauth;
mod outcome;
mod probe;
mod provider;
mod rehearsal;
pub mod scram;
pub mod signature;
pub mod sigv4;
mod status;
mod template;
mod values;
pub mod webhook;
mod when;
mod wire;
pub mod yaml;

pub use attempt::{Attempt, Unready, coded};
pub use connection::Connection;
pub use context::{Context, NetworkError, Stream, Transport};
pub use declarative::Declarative;
pub use destination::https_url;
pub use http::{HttpClient, Method, Request, Response};
pub use manifest::{Manifest, ManifestError};
pub use outcome::{Account, Outcome, Rejection, Unreachable, Verdict};
pub use probe::RequestSummary;
pub use provider::{FieldProblem, Provider};
pub use rehearsal::{Mismatch, rehearse};
pub use template::{Part, Template};
pub use wire::Wire;

/// The kernel's names a provider needs, so that a provider crate depends on this crate alone.
pub use nora_kernel::{Clock, EnvName, FieldName, ProviderId, Secret, SecretMap, Timestamp};
