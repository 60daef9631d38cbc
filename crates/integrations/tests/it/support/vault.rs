//! A vault that can be told to fail.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use nora_integrations::{ChangeIntegration, Connections};
use nora_kernel::{AgentId, Caller, OpenError, SealContext, SealError, Sealed, Vault, Workspace, WrappedKey};
use nora_testkit::PlainVault;
use uuid::Uuid;
use zeroize::Zeroizing;

/// How a vault fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    /// It seals and opens.
    Good,
    /// It does not answer.
    Down,
}

#[derive(Debug, Clone, Copy)]
enum Trouble {
    Lost,
    Silence,
}

/// A change that somebody else makes.
pub(crate) type Interruption = (Connections, Caller, ChangeIntegration);

pub(crate) struct Keeper {
    inner: PlainVault,
    pub(crate) health: Mutex<Health>,
    /// Rows whose values do not open now.
    troubles: Mutex<BTreeMap<Uuid, Trouble>>,
    pub(crate) seals: AtomicUsize,
    /// What happens while the next value is sealed.
    pub(crate) interruption: Mutex<Option<Interruption>>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Self {
            inner: PlainVault::new(),
            health: Mutex::new(Health::Good),
            troubles: Mutex::default(),
            seals: AtomicUsize::new(0),
            interruption: Mutex::default(),
        }
    }

    pub(crate) fn is(&self, health: Health) {
        *self.health.lock().unwrap() = health;
    }

    /// What was first sealed for this row does not open any more.
    pub(crate) fn loses(&self, row: Uuid) {
        self.troubles.lock().unwrap().insert(row, Trouble::Lost);
    }

    /// It does not answer when it is asked for this row.
    pub(crate) fn is_silent_about(&self, row: Uuid) {
        self.troubles.lock().unwrap().insert(row, Trouble::Silence);
    }

    /// Everything opens again.
    pub(crate) fn recovers(&self) {
        self.troubles.lock().unwrap().clear();
    }

    pub(crate) fn seals(&self) -> usize {
        self.seals.load(Ordering::SeqCst)
    }

    fn is_down(&self) -> bool {
        *self.health.lock().unwrap() == Health::Down
    }
}

#[async_trait]
impl Vault for Keeper {
    async fn new_agent_key(&self, workspace: &Workspace, agent: AgentId) -> Result<WrappedKey, SealError> {
        self.inner.new_agent_key(workspace, agent).await
    }

    async fn seal(&self, key: &WrappedKey, context: &SealContext, plaintext: &[u8]) -> Result<Sealed, SealError> {
        if self.is_down() {
            return Err(SealError::Unavailable("down".into()));
        }
        let interruption = self.interruption.lock().unwrap().take();
        if let Some((connections, caller, change)) = interruption {
            connections.change(&caller, change).await.unwrap();
        }
        self.seals.fetch_add(1, Ordering::SeqCst);
        self.inner.seal(key, context, plaintext).await
    }

    async fn open(
        &self,
        key: &WrappedKey,
        context: &SealContext,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        if self.is_down() {
            return Err(OpenError::Unavailable("down".into()));
        }
        let trouble = self.troubles.lock().unwrap().get(&context.row).copied();
        match trouble {
            Some(Trouble::Lost) if context.version == 1 => Err(OpenError::Unreadable),
            Some(Trouble::Silence) => Err(OpenError::Unavailable("silent".into())),
            Some(Trouble::Lost) | None => self.inner.open(key, context, sealed).await,
        }
    }
}
