//! One test's way out.

use std::time::Duration;

use async_trait::async_trait;
use nora_kernel::Clock;
use nora_net_guard::{Limits, Transport};
use nora_provider_sdk::{Context, HttpClient, NetworkError, Request, Response, Stream};
use tokio::time::{Instant, timeout_at};

use crate::stream::Bounded;
use crate::{Egress, message};

/// What all steps of a test together may take.
const BUDGET: Duration = Duration::from_secs(8);

/// Bytes of one answer's body, or of everything one stream brings in.
const MOST_BYTES: usize = 64 * 1024;

pub(crate) struct TestContext {
    egress: Egress,
    deadline: Instant,
}

impl TestContext {
    pub(crate) fn new(egress: Egress) -> Self {
        Self { egress, deadline: Instant::now() + BUDGET }
    }

    /// What is left of the budget; nothing is begun when nothing is left.
    fn left(&self) -> Result<Duration, NetworkError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(NetworkError::Timeout) } else { Ok(left) }
    }

    async fn bounded<T>(&self, step: impl Future<Output = Result<T, NetworkError>>) -> Result<T, NetworkError> {
        self.left()?;
        timeout_at(self.deadline, step).await.unwrap_or(Err(NetworkError::Timeout))
    }
}

#[async_trait]
impl Context for TestContext {
    fn http(&self) -> &dyn HttpClient {
        self
    }

    fn clock(&self) -> &dyn Clock {
        self.egress.clock.as_ref()
    }

    async fn connect(&self, host: &str, port: u16, transport: Transport) -> Result<Box<dyn Stream>, NetworkError> {
        let stream = self.bounded(self.egress.guard.dial(host, port, transport)).await?;
        Ok(Box::new(Bounded::new(stream, self.deadline, MOST_BYTES)))
    }

    async fn start_tls(&self, stream: Box<dyn Stream>, host: &str) -> Result<Box<dyn Stream>, NetworkError> {
        let session = self.bounded(self.egress.guard.start_tls(stream, host)).await?;
        Ok(Box::new(session))
    }
}

#[async_trait]
impl HttpClient for TestContext {
    async fn send(&self, request: Request) -> Result<Response, NetworkError> {
        let limits = Limits { time: self.left()?, body: MOST_BYTES };
        let answer = self.egress.client.send(message::encode(request)?, limits).await?;
        Ok(message::decode(answer))
    }
}
