//! What became of each variable, as JSON.

use nora_integrations::ports::{Variable, VariableState};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::rows::{known, parse};

const COLUMN: &str = "sync_targets.variables";

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    name: std::borrow::Cow<'a, str>,
    state: std::borrow::Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<std::borrow::Cow<'a, str>>,
}

pub(super) fn text(variables: &[Variable]) -> Result<String, StoreError> {
    let stored = variables.iter().map(|variable| Stored {
        name: variable.name.as_str().into(),
        state: variable.state.as_str().into(),
        reason: variable.reason.as_deref().map(Into::into),
    });
    serde_json::to_string(&stored.collect::<Vec<_>>()).map_err(|_| StoreError::Corrupt(COLUMN))
}

pub(super) fn read(text: &str) -> Result<Vec<Variable>, StoreError> {
    let stored: Vec<Stored<'_>> = serde_json::from_str(text).map_err(|_| StoreError::Corrupt(COLUMN))?;
    let variables = stored.into_iter().map(|variable| {
        Ok(Variable {
            name: parse(COLUMN, &variable.name)?,
            state: known(COLUMN, VariableState::from_wire(&variable.state))?,
            reason: variable.reason.map(Into::into),
        })
    });
    variables.collect()
}
