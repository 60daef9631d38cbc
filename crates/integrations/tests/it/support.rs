//! One server's connections and reconciler over stores in memory, with a runtime and providers that do as they are told.

mod providers;
mod runtime;
mod vault;
mod world;

pub(crate) use providers::{Offline, Probe};
pub(crate) use runtime::{Reaction, Runtime};
pub(crate) use vault::{Health, Keeper};
pub(crate) use world::{Asked, NoDevices, World, admin, caller, catalog, object, secret};

use nora_integrations::ports::{Variable, VariableState};

/// Variables as `NAME state`, in the order they come.
pub(crate) fn states(variables: &[Variable]) -> Vec<String> {
    variables.iter().map(|variable| format!("{} {}", variable.name, variable.state.as_str())).collect()
}

/// A variable in this state, without a reason.
pub(crate) fn variable(name: &str, state: VariableState) -> Variable {
    Variable { name: name.parse().unwrap(), state, reason: None }
}
