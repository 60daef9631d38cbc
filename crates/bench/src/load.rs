//! The load: a fixed number of connections, either each as fast as it is answered, or all at a fixed rate.

mod connection;
mod pace;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Request;
use http_body_util::Full;
use tokio::task::JoinSet;

pub(crate) use connection::Connection;
use pace::Pace;

/// Makes the request with a number; no two are made with the same.
pub(crate) type Requests = Arc<dyn Fn(u64) -> Request<Full<Bytes>> + Send + Sync>;

/// Latencies are kept to three digits, up to a minute.
const LONGEST: u64 = 60_000_000_000;
const DIGITS: u8 = 3;

/// What is asked of whom.
#[derive(Clone)]
pub(crate) struct Load {
    address: SocketAddr,
    connections: u32,
    requests: Requests,
    wanted: Wanted,
    next: Arc<AtomicU64>,
}

/// The answer that counts. Any other ends the load: one of refusals would be measured as a fast one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Success,
    Refusal,
}

/// What came of a load.
pub(crate) struct Outcome {
    /// In nanoseconds, one for each answer.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) elapsed: Duration,
}

impl Load {
    pub(crate) fn new(address: SocketAddr, connections: u32, requests: Requests) -> Self {
        Self { address, connections, requests, wanted: Wanted::Success, next: Arc::default() }
    }

    /// The same load, with another answer that counts.
    pub(crate) fn wanting(self, wanted: Wanted) -> Self {
        Self { wanted, ..self }
    }

    /// Closed loop: a connection asks again when it has its answer, for as long as this.
    pub(crate) async fn flat_out(&self, duration: Duration) -> Result<Outcome> {
        let begun = Instant::now();
        self.run(begun, move |load, mut connection| async move {
            let mut latencies = histogram()?;
            while begun.elapsed() < duration {
                let asked = Instant::now();
                connection.call(load.request(), load.wanted).await?;
                note(&mut latencies, asked);
            }
            Ok(latencies)
        })
        .await
    }

    /// Closed loop, for as many requests as this.
    pub(crate) async fn exactly(&self, total: u64) -> Result<Outcome> {
        let left = Arc::new(AtomicU64::new(total));
        let take = move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        self.run(Instant::now(), move |load, mut connection| {
            let take = take.clone();
            async move {
                let mut latencies = histogram()?;
                while take() {
                    let asked = Instant::now();
                    connection.call(load.request(), load.wanted).await?;
                    note(&mut latencies, asked);
                }
                Ok(latencies)
            }
        })
        .await
    }

    /// Open loop: requests fall due at a rate, whatever becomes of those before. Each is timed from when it fell due
    /// and not from when a connection was free for it, so a server that stalls is charged for everybody who waited.
    pub(crate) async fn at_rate(&self, per_second: u64, duration: Duration) -> Result<Outcome> {
        let pace = Pace::start(per_second, duration);
        self.run(pace.begun(), move |load, mut connection| {
            let pace = pace.clone();
            async move {
                let mut latencies = histogram()?;
                while let Some(due) = pace.next().await {
                    connection.call(load.request(), load.wanted).await?;
                    note(&mut latencies, due);
                }
                Ok(latencies)
            }
        })
        .await
    }

    fn request(&self) -> Request<Full<Bytes>> {
        (self.requests)(self.next.fetch_add(1, Ordering::Relaxed))
    }

    async fn run<F>(&self, begun: Instant, each: impl Fn(Self, Connection) -> F) -> Result<Outcome>
    where
        F: Future<Output = Result<Histogram<u64>>> + Send + 'static,
    {
        let mut running = JoinSet::new();
        for _ in 0..self.connections {
            running.spawn(each(self.clone(), Connection::open(self.address).await?));
        }
        let mut latencies = histogram()?;
        while let Some(ended) = running.join_next().await {
            latencies.add(ended.context("a connection's task ended")??).context("latencies do not add up")?;
        }
        Ok(Outcome { latencies, elapsed: begun.elapsed() })
    }
}

fn histogram() -> Result<Histogram<u64>> {
    Histogram::new_with_bounds(1, LONGEST, DIGITS).context("latencies cannot be kept")
}

fn note(latencies: &mut Histogram<u64>, since: Instant) {
    latencies.saturating_record(u64::try_from(since.elapsed().as_nanos()).unwrap_or(LONGEST));
}
