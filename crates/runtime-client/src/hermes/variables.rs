//! From what a Hermes holds to what it should hold. No name that others set is ever touched.

use std::collections::BTreeMap;

use nora_integrations::ports::{OwnedVariable, Push};
use nora_kernel::{Digest, EnvName, Secret};
use serde::Deserialize;

/// What digests of what is owned in a runtime are keyed for.
const PURPOSE: &str = "runtime-variable";

/// Names that Hermes keeps from the commands of its agents, for itself.
const KEPT_BY_HERMES: [&str; 8] = [
    "ANTHROPIC_API_KEY",
    "GITHUB_TOKEN",
    "HF_TOKEN",
    "OPENAI_API_KEY",
    "OPENAI_ORG_ID",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_PHONE_NUMBER",
];

const KEPT: &str = "Hermes uses this name itself and does not hand it to the agent's commands.";
const ONE_LINE: &str = "Hermes keeps values in one line of ASCII and would change this one.";

/// Why Hermes cannot take a variable as it is.
pub(super) fn unfit(name: &EnvName, value: &Secret) -> Option<&'static str> {
    let one_line = value.expose().bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    if KEPT_BY_HERMES.contains(&name.as_str()) {
        Some(KEPT)
    } else if !one_line || value.expose().trim() != value.expose() {
        Some(ONE_LINE)
    } else {
        None
    }
}

#[derive(Deserialize)]
struct Row {
    is_set: bool,
}

/// What Hermes lists: every name it knows, and whether it has a value.
pub(super) struct Listed(BTreeMap<String, Row>);

impl Listed {
    pub(super) fn read(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Self)
    }

    pub(super) fn has(&self, name: &EnvName) -> bool {
        self.0.get(name.as_str()).is_some_and(|row| row.is_set)
    }
}

/// What is to be done.
#[derive(Default)]
pub(super) struct Plan<'a> {
    kept: Vec<OwnedVariable>,
    pub(super) set: Vec<(&'a EnvName, &'a Secret)>,
    digests: Vec<[u8; 32]>,
    pub(super) emptied: Vec<EnvName>,
    /// Names somebody else set.
    pub(super) conflicts: Vec<&'a EnvName>,
}

impl<'a> Plan<'a> {
    /// Compares what a push asks for with what is there. Values are not told, so one counts as held if its digest was
    /// recorded and its name has a value.
    pub(super) fn new(push: &'a Push, listed: &Listed, digest: &dyn Digest) -> Self {
        let mut plan = Self::default();
        let fit = || push.env.iter().filter(|(name, value)| unfit(name, value).is_none());
        for (name, value) in fit() {
            let recorded = push.owned.iter().find(|owned| owned.name == *name);
            let digest = digest.keyed(PURPOSE, value.expose().as_bytes());
            match recorded {
                None if listed.has(name) => plan.conflicts.push(name),
                Some(owned) if listed.has(name) && owned.digest == Some(digest) => plan.kept.push(owned.clone()),
                _ => {
                    plan.set.push((name, value));
                    plan.digests.push(digest);
                }
            }
        }
        let gone = push.owned.iter().map(|owned| &owned.name).filter(|name| !fit().any(|(wanted, _)| wanted == *name));
        plan.emptied = gone.filter(|name| listed.has(name)).cloned().collect();
        plan
    }

    /// Whether Hermes holds everything already.
    pub(super) const fn is_done(&self) -> bool {
        self.set.is_empty() && self.emptied.is_empty()
    }

    /// What is owned while the plan is carried out.
    pub(super) fn intended(&self) -> Vec<OwnedVariable> {
        let written = self.set.iter().map(|(name, _)| *name).chain(&self.emptied);
        by_name(self.kept.iter().cloned().chain(written.cloned().map(OwnedVariable::intended)))
    }

    /// What is owned once Hermes lists this; `None` if that is not what was asked for. Writes in `refused` had no
    /// effect.
    pub(super) fn confirmed(&self, listed: &Listed, refused: &[EnvName]) -> Option<Vec<OwnedVariable>> {
        if self.emptied.iter().any(|name| listed.has(name)) {
            return None;
        }
        let mut owned = self.kept.clone();
        for ((name, _), digest) in self.set.iter().zip(&self.digests) {
            match (listed.has(name), refused.contains(name)) {
                (true, false) => {
                    owned.push(OwnedVariable { name: (*name).clone(), digest: Some(*digest), changed_at_ms: None });
                }
                (true, true) => owned.push(OwnedVariable::intended((*name).clone())),
                (false, true) => {}
                (false, false) => return None,
            }
        }
        Some(by_name(owned.into_iter()))
    }
}

fn by_name(owned: impl Iterator<Item = OwnedVariable>) -> Vec<OwnedVariable> {
    let mut owned: Vec<_> = owned.collect();
    owned.sort_by(|one, other| one.name.cmp(&other.name));
    owned
}
