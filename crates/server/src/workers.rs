//! The loops the domain must not own.

mod backlog;
mod housekeeping;
mod reconciler;
mod stop;

pub(crate) use backlog::show_backlog;
pub(crate) use housekeeping::{flush_usage, follow_revocations, prune};
pub(crate) use reconciler::ReconcilerLoop;
pub(crate) use stop::{Stop, Stopper};
