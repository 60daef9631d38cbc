//! Checks: those that are claimed together are done together.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use nora_integrations::ports::{Agreed, CheckedTarget, Claim};
use nora_integrations::{Checked, Step};
use nora_kernel::{Timestamp, Unavailable};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::StreamExt as _;

use super::ReconcilerLoop;
use crate::error::cause;
use crate::workers::Stop;

/// How long answers to checks are gathered after the first one. Nobody waits for what they say.
const GATHER_ANSWERS: Duration = Duration::from_millis(50);

impl ReconcilerLoop {
    /// Asks several runtimes at a time whether they agree.
    pub(super) async fn check(self: Arc<Self>, checks: Vec<(Claim, OwnedSemaphorePermit)>, stop: Stop) {
        let (claims, slots): (Vec<_>, Vec<_>) = checks.into_iter().unzip();
        tokio::select! {
            biased;
            () = stop.deadline() => self.give_back(&claims).await,
            read = self.check_all(&claims, slots) => {
                if let Err(error) = read {
                    tracing::error!(error = cause(&error), "the targets of checks were not read");
                }
            }
        }
    }

    /// Reads the targets together, and records together what their runtimes answer at about the same time.
    async fn check_all(&self, claims: &[Claim], mut slots: Vec<OwnedSemaphorePermit>) -> Result<(), Unavailable> {
        let begun = self.clock.now();
        let targets = self.store.targets(claims).await?;
        let asked: FuturesUnordered<_> =
            claims.iter().zip(targets).map(|(claim, target)| self.ask(claim, target, begun)).collect();
        let mut answered = pin!(asked.chunks_timeout(claims.len().max(1), GATHER_ANSWERS));
        while let Some(answers) = answered.next().await {
            slots.truncate(slots.len().saturating_sub(answers.len()));
            self.record(&answers.into_iter().flatten().collect::<Vec<_>>(), begun).await;
        }
        Ok(())
    }

    /// Asks one runtime; reports how that ended, unless it agrees.
    async fn ask(&self, claim: &Claim, target: Option<CheckedTarget>, begun: Timestamp) -> Option<Agreed> {
        let checked = async {
            match target {
                Some(target) => self.reconciler.check(claim, target).await,
                None => Ok(Checked::Ended(Step::LeaseLost)),
            }
        };
        let ended = tokio::select! {
            biased;
            () = self.keep_lease(claim) => {
                tracing::warn!(agent = %claim.agent, "a lease was lost; its check is given up");
                Ok(Step::LeaseLost)
            }
            checked = checked => match checked {
                Ok(Checked::Agreed(agreed)) => return Some(agreed),
                Ok(Checked::Ended(step)) => Ok(step),
                Err(error) => Err(error),
            },
        };
        self.report(claim, begun, ended);
        None
    }

    async fn record(&self, agreed: &[Agreed], begun: Timestamp) {
        if agreed.is_empty() {
            return;
        }
        match self.reconciler.record(agreed).await {
            Ok(steps) => {
                for (Agreed { claim, .. }, step) in agreed.iter().zip(steps) {
                    self.report(claim, begun, Ok(step));
                }
            }
            Err(error) => tracing::error!(error = cause(&error), "checks were not recorded"),
        }
    }
}
