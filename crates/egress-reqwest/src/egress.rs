//! Where contexts come from.

use std::sync::Arc;

use nora_integrations::ports::TestContexts;
use nora_kernel::Clock;
use nora_net_guard::{ClientError, Guard, GuardedClient};
use nora_provider_sdk::Context;

use crate::context::TestContext;

/// Gives connection tests their I/O. Idle connections are shared between tests.
#[derive(Clone)]
pub struct Egress {
    pub(crate) guard: Guard,
    pub(crate) client: GuardedClient,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Egress {
    /// I/O through `guard`.
    ///
    /// # Errors
    ///
    /// The HTTP client could not be built.
    pub fn new(guard: Guard, clock: Arc<dyn Clock>) -> Result<Self, ClientError> {
        let client = GuardedClient::new(guard.clone())?;
        Ok(Self { guard, client, clock })
    }

    /// A fresh context for one test. Its 8 seconds start now.
    pub fn context(&self) -> Box<dyn Context> {
        Box::new(TestContext::new(self.clone()))
    }
}

impl TestContexts for Egress {
    fn open(&self) -> Box<dyn Context> {
        self.context()
    }
}
