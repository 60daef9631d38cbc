//! What runtimes have not confirmed, in memory.

use std::collections::BTreeMap;

use nora_integrations::ports::{Awaited, FailureClass, Unconfirmed};
use nora_kernel::Timestamp;

use super::State;
use super::targets::TargetRecord;

impl State {
    pub(super) fn unconfirmed(&self) -> Vec<Unconfirmed> {
        let behind = self.targets.values().filter(|record| record.retired.is_none() && record.is_behind());
        let behind = behind.map(|record| (Awaited::Sync, record, self.behind_since(record)));
        let removals = self.removals.iter().filter(|removal| removal.record.confirmed_at.is_none());
        let removals =
            removals.filter_map(|removal| Some((Awaited::Purge, self.live_target(removal.agent)?, removal.removed_at)));
        let retired = self.targets.values().filter_map(|record| Some((Awaited::Purge, record, record.retired_at?)));
        let mut groups: BTreeMap<_, Unconfirmed> = BTreeMap::new();
        for (awaited, record, since) in behind.chain(removals).chain(retired) {
            let (kind, reason) = (record.target.kind, record.failure.map(|(class, _)| class));
            let key = (awaited, kind.as_str(), reason.map(FailureClass::as_str));
            let group = groups.entry(key).or_insert(Unconfirmed { awaited, kind, reason, count: 0, oldest: since });
            group.count += 1;
            group.oldest = group.oldest.min(since);
        }
        groups.into_values().collect()
    }

    fn behind_since(&self, record: &TargetRecord) -> Timestamp {
        let agent = record.target.agent;
        let changed = self.of_agent(agent).filter(|stored| stored.generation > record.applied);
        let changed = changed.map(|stored| stored.integration.updated_at);
        let removed = self.removals.iter().filter(|removal| removal.agent == agent);
        let removed = removed.filter(|removal| removal.generation > record.applied).map(|removal| removal.removed_at);
        changed.chain(removed).min().or(record.last_synced_at).unwrap_or(record.created_at)
    }
}
