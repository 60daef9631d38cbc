//! Who holds which target, as a store says it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use nora_integrations::ports::Claim;
use nora_kernel::{TargetId, Timestamp};

/// Two laws: nobody is given a target that another worker holds, and nobody writes without holding it.
#[derive(Default)]
pub(super) struct Leases {
    held: Mutex<BTreeMap<TargetId, Lease>>,
    broken: Mutex<Option<String>>,
}

struct Lease {
    fence: i64,
    until: Option<Timestamp>,
}

impl Leases {
    pub(super) fn grant(&self, claims: &[Claim], now: Timestamp, until: Timestamp) {
        let mut held = self.held.lock().unwrap();
        for claim in claims {
            let lease = Lease { fence: claim.fence, until: Some(until) };
            if let Some(former) = held.insert(claim.target, lease)
                && (former.until.is_some_and(|until| until > now) || former.fence >= claim.fence)
            {
                self.broken(format!("{} was given away under fence {}", claim.target, former.fence));
            }
        }
    }

    pub(super) fn renew(&self, claim: &Claim, until: Timestamp) {
        self.write(claim, Some(until));
    }

    pub(super) fn end(&self, claim: &Claim) {
        self.write(claim, None);
    }

    pub(super) fn release(&self, claims: &[Claim]) {
        let mut held = self.held.lock().unwrap();
        for claim in claims {
            if let Some(lease) = held.get_mut(&claim.target).filter(|lease| lease.fence == claim.fence) {
                lease.until = None;
            }
        }
    }

    /// The law that was broken, if one was.
    pub(super) fn check(&self) -> Result<(), String> {
        self.broken.lock().unwrap().take().map_or(Ok(()), Err)
    }

    fn write(&self, claim: &Claim, until: Option<Timestamp>) {
        let mut held = self.held.lock().unwrap();
        match held.get_mut(&claim.target).filter(|lease| lease.fence == claim.fence && lease.until.is_some()) {
            Some(lease) => lease.until = until,
            None => self.broken(format!("{} was written under a lost lease, fence {}", claim.target, claim.fence)),
        }
    }

    fn broken(&self, what: String) {
        self.broken.lock().unwrap().get_or_insert(what);
    }
}
