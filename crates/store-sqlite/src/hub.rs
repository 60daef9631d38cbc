//! What one part of the process tells the others after a commit.

use nora_kernel::ApiKeyId;
use tokio::sync::{Mutex, Notify, broadcast};

/// How many revocations may wait for somebody to ask; beyond it they are told that any key may have been revoked.
const REVOCATIONS: usize = 256;

/// What a unit of work has to tell once it is committed.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// A target may have become due.
    pub(crate) due: bool,
    /// A delivery may have become due.
    pub(crate) delivery: bool,
    /// A redeploy may have become due.
    pub(crate) redeploy: bool,
    /// Keys that were revoked.
    pub(crate) revoked: Vec<ApiKeyId>,
}

/// Passes news on to those who wait for them.
pub(crate) struct Hub {
    due: Notify,
    delivery: Notify,
    redeploy: Notify,
    revoked: broadcast::Sender<ApiKeyId>,
    revocations: Mutex<broadcast::Receiver<ApiKeyId>>,
}

impl Hub {
    pub(crate) fn new() -> Self {
        let (revoked, revocations) = broadcast::channel(REVOCATIONS);
        Self {
            due: Notify::new(),
            delivery: Notify::new(),
            redeploy: Notify::new(),
            revoked,
            revocations: Mutex::new(revocations),
        }
    }

    pub(crate) fn announce(&self, news: News) {
        if news.due {
            self.due.notify_one();
        }
        if news.delivery {
            self.delivery.notify_one();
        }
        if news.redeploy {
            self.redeploy.notify_one();
        }
        for key in news.revoked {
            // The hub keeps a receiver of its own, so there is always one.
            let _ = self.revoked.send(key);
        }
    }

    pub(crate) async fn due(&self) {
        self.due.notified().await;
    }

    pub(crate) async fn delivery(&self) {
        self.delivery.notified().await;
    }

    pub(crate) async fn redeploy(&self) {
        self.redeploy.notified().await;
    }

    /// The next revoked key; `None` if some went by unheard.
    pub(crate) async fn revocation(&self) -> Option<ApiKeyId> {
        self.revocations.lock().await.recv().await.ok()
    }
}
