//! The loops the domain must not own.

mod housekeeping;
mod reconciler;
mod redeployer;
mod stop;

pub(crate) use housekeeping::{flush_usage, follow_revocations, prune};
pub(crate) use reconciler::ReconcilerLoop;
pub(crate) use redeployer::RedeployerLoop;
pub(crate) use stop::{Stop, Stopper};
