//! What a person sees of an agent's sync.

use std::collections::BTreeSet;

use nora_catalog::Catalog;
use nora_kernel::{AgentId, Caller, EnvName, IntegrationId, Label, ProviderId, Timestamp, Unavailable};

use crate::ports::{Failure, FailureClass, SyncRecord, Variable, VariableState};
use crate::{Connections, Integration, Status, variable_names};

/// Where an agent's runtime stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// It confirmed everything it should have.
    InSync,
    /// A push is due or under way.
    Pending,
    /// The last push failed.
    Failing,
}

impl SyncState {
    /// The state on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Pending => "pending",
            Self::Failing => "failing",
        }
    }
}

/// Why the last push failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// The class.
    pub class: FailureClass,
    /// When.
    pub at: Timestamp,
    /// The id of the device key for the gateway, where pairing it is the remedy.
    pub device_id: Option<String>,
}

impl LastError {
    /// A sentence of ours on what happened and what to do.
    pub fn detail(&self) -> String {
        match &self.device_id {
            Some(id) => format!("{} The device is {id}.", self.class.detail()),
            None => self.class.detail().to_owned(),
        }
    }
}

/// One variable, as a person sees it.
pub type VariableView = Variable;

/// Something that was removed, as a person sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Which integration it was.
    pub integration: IntegrationId,
    /// Its provider.
    pub provider: ProviderId,
    /// Its label.
    pub label: Label,
    /// The variables it had set.
    pub names: Vec<EnvName>,
    /// When the runtime confirmed a state without it; `None` while it has not.
    pub confirmed_at: Option<Timestamp>,
}

/// Numbers and times of a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncStatus {
    /// Where the runtime stands.
    pub state: SyncState,
    /// The generation the runtime should have.
    pub desired: u64,
    /// The generation it confirmed.
    pub applied: u64,
    /// When it last confirmed one.
    pub last_synced_at: Option<Timestamp>,
    /// When the next push is due, while one is due.
    pub next_attempt_at: Option<Timestamp>,
    /// The failure since the last success, if there was one.
    pub last_error: Option<LastError>,
}

/// The whole view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncView {
    /// Numbers and times.
    pub status: SyncStatus,
    /// Variables by name. One whose push is not confirmed is not shown as live.
    pub variables: Vec<VariableView>,
    /// What was removed, newest first.
    pub removed: Vec<Removed>,
}

impl Connections {
    /// The state of an agent's sync; `None` if there is no such agent for the caller.
    pub async fn sync_view(&self, caller: &Caller, agent: AgentId) -> Result<Option<SyncView>, Unavailable> {
        let record = self.sync.state(&caller.reach(), agent).await?;
        Ok(record.map(|record| view(&self.catalog, record)))
    }
}

fn view(catalog: &Catalog, record: SyncRecord) -> SyncView {
    let variables = variables(catalog, &record);
    let SyncRecord { desired, applied, last_synced_at, next_attempt_at, last_failure, device_id, removals, .. } =
        record;
    let state = match (applied >= desired, &last_failure) {
        (true, _) => SyncState::InSync,
        (false, None) => SyncState::Pending,
        (false, Some(_)) => SyncState::Failing,
    };
    let behind = state != SyncState::InSync;
    let last_error = last_failure.map(|Failure { class, at, .. }| {
        let by_pairing = matches!(class, FailureClass::NotPaired | FailureClass::NotAuthorised);
        LastError { class, at, device_id: device_id.filter(|_| by_pairing) }
    });
    let status = SyncStatus {
        state,
        desired,
        applied,
        last_synced_at,
        next_attempt_at: next_attempt_at.filter(|_| behind),
        last_error,
    };
    let removed = removals.into_iter().map(|removal| Removed {
        integration: removal.integration,
        provider: removal.provider,
        label: removal.label,
        names: removal.names,
        confirmed_at: removal.confirmed_at,
    });
    SyncView { status, variables, removed: removed.collect() }
}

/// While a push is outstanding a variable keeps its confirmed state only if its integration has not changed since;
/// what a failed push left unconfirmed is `failed`.
fn variables(catalog: &Catalog, record: &SyncRecord) -> Vec<VariableView> {
    if record.applied >= record.desired {
        return record.variables.clone();
    }
    let mut owned: BTreeSet<EnvName> = BTreeSet::new();
    let mut shown: Vec<VariableView> = Vec::new();
    for (integration, generation) in record.integrations.iter().rev() {
        for name in names(catalog, integration) {
            let unchanged = *generation <= record.applied && !may_be_inherited(catalog, record, integration, &name);
            let confirmed = record.variables.iter().find(|variable| variable.name == name).filter(|_| unchanged);
            let view = match (owned.insert(name.clone()), confirmed, &record.last_failure) {
                (false, ..) => Some(conflicting(name)),
                (true, Some(confirmed), _) => Some(confirmed.clone()),
                (true, None, Some(failure)) => Some(failed(name, failure.class)),
                (true, None, None) => None,
            };
            shown.extend(view);
        }
    }
    shown.sort_by(|one, other| one.name.cmp(&other.name));
    shown
}

/// Whether the runtime may hold the value of an older integration under a name: one that could set it has changed or
/// gone since the last confirmed push, and a push that nobody confirmed may have been applied in between.
fn may_be_inherited(catalog: &Catalog, record: &SyncRecord, heir: &Integration, name: &EnvName) -> bool {
    let mut older = record.integrations.iter().rev().take_while(|(integration, _)| integration.id != heir.id);
    let mut pending = record.removals.iter().filter(|removal| removal.confirmed_at.is_none());
    older.any(|(older, generation)| {
        let is_settled = *generation <= record.applied && older.status(catalog) == Status::Active;
        !is_settled && may_set(catalog, &older.provider, &older.label, name)
    }) || pending
        .any(|removal| removal.integration < heir.id && may_set(catalog, &removal.provider, &removal.label, name))
}

/// Whether a connection of this provider under this label sets the variable, with one configuration or another. Of a
/// provider that is gone nobody knows.
fn may_set(catalog: &Catalog, provider: &ProviderId, label: &Label, name: &EnvName) -> bool {
    let Some(entry) = catalog.entry(provider.as_str()) else { return true };
    let mut variables = entry.manifest().fields().iter().filter_map(|field| field.env.as_ref()?.labelled(label));
    variables.any(|variable| variable == *name)
}

fn names(catalog: &Catalog, integration: &Integration) -> Vec<EnvName> {
    let entry = catalog.entry(integration.provider.as_str());
    let entry = entry.filter(|_| integration.status(catalog) == Status::Active);
    entry.map(|entry| variable_names(entry.manifest(), integration)).unwrap_or_default()
}

/// A variable that an older integration owns.
pub(crate) fn conflicting(name: EnvName) -> Variable {
    let reason = Some("An older integration of this agent sets the same variable.".to_owned());
    Variable { name, state: VariableState::Conflict, reason }
}

fn failed(name: EnvName, class: FailureClass) -> Variable {
    Variable { name, state: VariableState::Failed, reason: Some(class.detail().to_owned()) }
}
