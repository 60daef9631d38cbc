//! A vault that can be held up.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use nora_kernel::{AgentId, OpenError, SealContext, SealError, Sealed, Vault, Workspace, WrappedKey};
use nora_testkit::PlainVault;
use tokio::sync::Notify;
use zeroize::Zeroizing;

/// While it is closed nobody gets a new key.
#[derive(Default)]
pub(crate) struct GatedVault {
    inner: PlainVault,
    closed: AtomicBool,
    reached: Notify,
    opened: Notify,
}

impl GatedVault {
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
        self.opened.notify_waiters();
    }

    /// Waits until somebody waits.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }
}

#[async_trait]
impl Vault for GatedVault {
    async fn new_agent_key(&self, workspace: &Workspace, agent: AgentId) -> Result<WrappedKey, SealError> {
        while self.closed.load(Ordering::SeqCst) {
            let opened = self.opened.notified();
            self.reached.notify_one();
            opened.await;
        }
        self.inner.new_agent_key(workspace, agent).await
    }

    async fn seal(&self, key: &WrappedKey, context: &SealContext, plaintext: &[u8]) -> Result<Sealed, SealError> {
        self.inner.seal(key, context, plaintext).await
    }

    async fn open(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        self.inner.open(key, context, sealed).await
    }
}
