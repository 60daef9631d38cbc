//! The system's generator.

use nora_kernel::{BoxError, Entropy};
use ring::rand::{SecureRandom, SystemRandom};

/// The operating system's random-number generator.
#[derive(Debug, Clone)]
pub struct SystemEntropy(SystemRandom);

/// The operating system gave no random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random-number generator failed")]
pub struct GeneratorFailed;

impl SystemEntropy {
    /// The generator. Nothing is read yet.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Entropy for SystemEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), BoxError> {
        Ok(self.0.fill(buffer).map_err(|_| GeneratorFailed)?)
    }
}
