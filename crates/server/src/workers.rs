//! The loops the domain must not own.

#[cfg(test)]
mod counted;
mod deliveries;
mod housekeeping;
mod reconciler;
mod redeployer;
mod stop;
#[cfg(test)]
mod tests;
mod unconfirmed;

pub(crate) use deliveries::{Agents, DeliveryLoop};
pub(crate) use housekeeping::{
    flush_usage, follow_revocations, measure_backlog, prune_answers, prune_audit, prune_events,
};
pub(crate) use reconciler::ReconcilerLoop;
pub(crate) use redeployer::RedeployerLoop;
pub(crate) use stop::{Stop, Stopper};
pub(crate) use unconfirmed::show_unconfirmed;
