//! Asking runtimes in step whether they agree.

use nora_kernel::Unavailable;
use nora_kernel::audit::Action;

use crate::ports::{Agreed, CheckedTarget, Claim, PushError};
use crate::reconcile::{HIGHEST_GENERATION, Reconciler, Step, step};

/// How asking a runtime ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It agrees, or could not be asked. [`Reconciler::record`] records that, for many at a time.
    Agreed(Agreed),
    /// It does not, and that is recorded.
    Ended(Step),
}

impl Reconciler {
    /// Asks a runtime in step what it holds. If that differs from what it confirmed, it is out of step from now on,
    /// and pushed to like any other.
    pub async fn check(&self, claim: &Claim, checked: CheckedTarget) -> Result<Checked, Unavailable> {
        let CheckedTarget { target, key, owned } = checked;
        let health = match self.address(&target, &key).await {
            Ok(address) => self.runtimes.health(&address, &owned).await,
            Err(class) if class.is_permanent() => {
                return Ok(Checked::Ended(self.fail(claim, class, None, None).await?));
            }
            Err(class) => Err(PushError::failed(class)),
        };
        let holds = match health {
            Ok(Some(health)) if health.agent != Some(claim.agent) => 0,
            Ok(Some(health)) if health.generation != Some(claim.applied) => health.generation.unwrap_or(0),
            // One that does not answer is in step as far as anybody knows; its start hook asks for a sync.
            Ok(_) | Err(_) => {
                let agreed = Agreed { claim: claim.clone(), next_check_at: self.next_check() };
                return Ok(Checked::Agreed(agreed));
            }
        };
        Ok(Checked::Ended(self.repeat(claim, holds).await?))
    }

    /// Records what [`Reconciler::check`] found to agree, and says how each check ended.
    pub async fn record(&self, agreed: &[Agreed]) -> Result<Vec<Step>, Unavailable> {
        let held = self.store.checked(agreed).await?;
        Ok(held.into_iter().map(|held| step(held, Step::Checked)).collect())
    }

    pub(crate) async fn check_alone(&self, claim: &Claim) -> Result<Step, Unavailable> {
        let found = self.store.targets(std::slice::from_ref(claim)).await?;
        let Some(target) = found.into_iter().flatten().next() else { return Ok(Step::LeaseLost) };
        match self.check(claim, target).await? {
            Checked::Agreed(agreed) => {
                let recorded = self.record(std::slice::from_ref(&agreed)).await?;
                Ok(recorded.into_iter().next().unwrap_or(Step::LeaseLost))
            }
            Checked::Ended(step) => Ok(step),
        }
    }

    /// Makes a runtime in step due for a push, above the generation it says it holds.
    async fn repeat(&self, claim: &Claim, holds: u64) -> Result<Step, Unavailable> {
        let ahead = holds > claim.applied && holds < HIGHEST_GENERATION;
        let (current, action) =
            if ahead { (holds, Action::GenerationRaised) } else { (claim.applied, Action::SyncRequested) };
        self.raise(claim, current, self.clock.now(), action).await
    }
}
