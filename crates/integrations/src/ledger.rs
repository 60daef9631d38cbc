//! The ledger of one claim.

use async_trait::async_trait;

use crate::ports::{Claim, Held, Ledger, NotRecorded, OwnedVariable, SyncStore};

/// Writes down what is owned in the runtime of a claimed target, for as long as the lease is held.
pub(crate) struct ClaimLedger<'a> {
    pub(crate) store: &'a dyn SyncStore,
    pub(crate) claim: &'a Claim,
}

#[async_trait]
impl Ledger for ClaimLedger<'_> {
    async fn record(&self, owned: &[OwnedVariable]) -> Result<(), NotRecorded> {
        match self.store.record_owned(self.claim, owned).await {
            Ok(Held::Yes) => Ok(()),
            // Whoever records the end of the push meets the same fault, and reports it.
            Ok(Held::No) | Err(_) => Err(NotRecorded),
        }
    }
}
