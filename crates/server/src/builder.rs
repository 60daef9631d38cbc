//! How a binary is put together: the standard one, and one with providers of a team's own.

use std::process::ExitCode;
use std::sync::Arc;

use nora_provider_sdk::{ManifestError, Provider};

use crate::{StartError, cli, providers};

/// A server to be: providers first, then [`main`](Self::main).
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     nora_server::Nora::standard().main()
/// }
/// ```
#[derive(Default)]
pub struct Nora {
    providers: Vec<Arc<dyn Provider>>,
    failure: Option<StartError>,
}

impl std::fmt::Debug for Nora {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Nora").field("providers", &self.providers.len()).finish_non_exhaustive()
    }
}

impl Nora {
    /// A server without providers.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A server with every provider this crate was built with.
    pub fn standard() -> Self {
        match providers::standard() {
            Ok(providers) => Self { providers, failure: None },
            Err(failure) => Self { providers: Vec::new(), failure: Some(failure) },
        }
    }

    /// Adds a provider.
    #[must_use]
    pub fn provider(mut self, provider: impl Provider + 'static) -> Self {
        self.providers.push(Arc::new(provider));
        self
    }

    /// Adds the providers of a crate, or says at the start why they cannot be had.
    #[must_use]
    pub fn providers(mut self, providers: Result<Vec<Arc<dyn Provider>>, ManifestError>) -> Self {
        match providers {
            Ok(providers) => self.providers.extend(providers),
            Err(error) => self.failure = Some(StartError::because("a provider's manifest is not valid", error)),
        }
        self
    }

    /// Parses the command line and does what it says.
    pub fn main(self) -> ExitCode {
        match self.failure {
            Some(failure) => cli::refuse(&failure),
            None => cli::main(self.providers),
        }
    }
}
