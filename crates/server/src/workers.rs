//! The loops the domain must not own.

#[cfg(test)]
mod counted;
mod housekeeping;
mod reconciler;
mod redeployer;
mod stop;
#[cfg(test)]
mod tests;

pub(crate) use housekeeping::{flush_usage, follow_revocations, prune};
pub(crate) use reconciler::ReconcilerLoop;
pub(crate) use redeployer::RedeployerLoop;
pub(crate) use stop::{Stop, Stopper};
