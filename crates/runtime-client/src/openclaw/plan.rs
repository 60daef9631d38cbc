//! From what a store holds to what it should hold. No name that others wrote is ever touched.

use std::collections::BTreeMap;

use nora_integrations::ports::OwnedVariable;
use nora_kernel::{Digest, EnvName, Secret};
use zeroize::Zeroizing;

use super::store::{Entry, Holding};

/// What digests of what is owned in a runtime are keyed for.
const PURPOSE: &str = "runtime-variable";

pub(super) type Entries = BTreeMap<String, Entry>;

/// A variable that belongs into the store.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a EnvName,
    pub(super) value: &'a Secret,
    pub(super) holding: Holding,
    digest: [u8; 32],
}

impl<'a> Wanted<'a> {
    pub(super) fn new(name: &'a EnvName, value: &'a Secret, holding: Holding, digest: &dyn Digest) -> Self {
        let how = match &holding {
            Holding::Plain => "plain".to_owned(),
            Holding::Bound(hosts) => hosts.join(","),
        };
        let bytes = Zeroizing::new([how.as_bytes(), &[0], value.expose().as_bytes()].concat());
        let digest = digest.keyed(PURPOSE, &bytes);
        Self { name, value, holding, digest }
    }

    /// Whether the store holds this already, by our own hand. A value that cannot be read back is recognised by what was
    /// recorded.
    fn is_held_by(&self, entry: &Entry, recorded: Option<&OwnedVariable>) -> bool {
        let Some(recorded) = recorded else { return false };
        let same = match &entry.value {
            Some(value) => value.expose() == self.value.expose(),
            None => recorded.digest == Some(self.digest) && recorded.changed_at_ms == Some(entry.changed_at_ms),
        };
        entry.holding == self.holding && same
    }

    /// Whether the store confirms it.
    fn is_confirmed_by(&self, entry: &Entry) -> bool {
        let value = match self.holding {
            Holding::Plain => entry.value.as_ref().is_some_and(|value| value.expose() == self.value.expose()),
            Holding::Bound(_) => true,
        };
        entry.is_ours() && entry.holding == self.holding && value
    }

    fn owned(&self, entry: &Entry) -> OwnedVariable {
        OwnedVariable { name: self.name.clone(), digest: Some(self.digest), changed_at_ms: Some(entry.changed_at_ms) }
    }
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    pub(super) kept: Vec<Wanted<'a>>,
    pub(super) set: Vec<Wanted<'a>>,
    pub(super) deleted: Vec<OwnedVariable>,
    /// Names somebody else wrote.
    pub(super) conflicts: Vec<EnvName>,
}

/// Compares what is wanted with what is there.
///
/// A name is deleted if we have recorded it and wrote it last, whenever that was: a credential that stays is worse than
/// one that another of our agents has to write again.
pub(super) fn plan<'a>(wanted: Vec<Wanted<'a>>, entries: &Entries, owned: &[OwnedVariable]) -> Plan<'a> {
    let mut plan = Plan::default();
    let is_wanted = |name: &EnvName| wanted.iter().any(|wanted| wanted.name == name);
    let is_ours = |name: &EnvName| entries.get(name.as_str()).is_some_and(Entry::is_ours);
    let gone = owned.iter().filter(|owned| !is_wanted(&owned.name) && is_ours(&owned.name));
    plan.deleted = gone.cloned().collect();
    for variable in wanted {
        let recorded = owned.iter().find(|owned| owned.name == *variable.name);
        match entries.get(variable.name.as_str()) {
            Some(entry) if !entry.is_ours() => plan.conflicts.push(variable.name.clone()),
            Some(entry) if variable.is_held_by(entry, recorded) => plan.kept.push(variable),
            Some(_) | None => plan.set.push(variable),
        }
    }
    plan
}

impl Plan<'_> {
    /// Whether the store holds everything already.
    pub(super) const fn is_done(&self) -> bool {
        self.set.is_empty() && self.deleted.is_empty()
    }

    /// What is owned while the plan is carried out: what is kept, what may be written, what may not be deleted yet.
    pub(super) fn intended(&self, entries: &Entries) -> Vec<OwnedVariable> {
        let set = self.set.iter().map(|wanted| OwnedVariable::intended(wanted.name.clone()));
        by_name(self.kept(entries).chain(set).chain(self.deleted.iter().cloned()))
    }

    /// What is owned once the store says that it holds `entries`; `None` if that is not what was asked for. Writes in
    /// `refused` may have had no effect.
    pub(super) fn confirmed(&self, entries: &Entries, refused: &[EnvName]) -> Option<Vec<OwnedVariable>> {
        if self.deleted.iter().any(|owned| entries.get(owned.name.as_str()).is_some_and(Entry::is_ours)) {
            return None;
        }
        let mut owned = Vec::new();
        for wanted in self.kept.iter().chain(&self.set) {
            match entries.get(wanted.name.as_str()) {
                Some(entry) if wanted.is_confirmed_by(entry) => owned.push(wanted.owned(entry)),
                Some(entry) if refused.contains(wanted.name) && entry.is_ours() => {
                    owned.push(OwnedVariable::intended(wanted.name.clone()));
                }
                _ if refused.contains(wanted.name) => {}
                _ => return None,
            }
        }
        Some(by_name(owned.into_iter()))
    }

    /// What is owned when the plan had to be left after its first `written` writes, as the store says that it holds
    /// `entries`: what was written counts, so that the next push goes on from there.
    pub(super) fn progress(&self, entries: &Entries, written: usize) -> Vec<OwnedVariable> {
        let owned = self.set.iter().enumerate().map(|(index, wanted)| {
            let entry =
                entries.get(wanted.name.as_str()).filter(|entry| index < written && wanted.is_confirmed_by(entry));
            entry.map_or_else(|| OwnedVariable::intended(wanted.name.clone()), |entry| wanted.owned(entry))
        });
        by_name(self.kept(entries).chain(owned).chain(self.deleted.iter().cloned()))
    }

    fn kept<'b>(&'b self, entries: &'b Entries) -> impl Iterator<Item = OwnedVariable> + 'b {
        self.kept.iter().filter_map(|wanted| Some(wanted.owned(entries.get(wanted.name.as_str())?)))
    }
}

fn by_name(owned: impl Iterator<Item = OwnedVariable>) -> Vec<OwnedVariable> {
    let mut owned: Vec<_> = owned.collect();
    owned.sort_by(|one, other| one.name.cmp(&other.name));
    owned
}
