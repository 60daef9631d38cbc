//! What happened that somebody waits for.

use nora_kernel::ApiKeyId;
use tokio::sync::{Mutex, Notify, broadcast};

/// How many revocations are kept for a reader that is busy. Beyond it the reader is told that any key may be revoked.
const KEPT_REVOCATIONS: usize = 1024;

/// Kinds of work that servers wake each other for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// A push to a runtime, or a check.
    Sync,
    /// A delivery of an event.
    Delivery,
}

/// Who waits for a kind of work.
struct Waiting {
    here: Notify,
    elsewhere: Notify,
}

impl Waiting {
    fn new() -> Self {
        Self { here: Notify::new(), elsewhere: Notify::new() }
    }
}

/// Wakes those who wait in this process, and asks for the other servers to be woken.
///
/// An event that comes while nobody waits is kept for the next who does.
pub(crate) struct Signals {
    sync: Waiting,
    delivery: Waiting,
    redeploy: Notify,
    revoked: broadcast::Sender<Option<ApiKeyId>>,
    revocations: Mutex<broadcast::Receiver<Option<ApiKeyId>>>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        let (revoked, revocations) = broadcast::channel(KEPT_REVOCATIONS);
        let (sync, delivery) = (Waiting::new(), Waiting::new());
        Self { sync, delivery, redeploy: Notify::new(), revoked, revocations: Mutex::new(revocations) }
    }

    fn waiting(&self, topic: Topic) -> &Waiting {
        match topic {
            Topic::Sync => &self.sync,
            Topic::Delivery => &self.delivery,
        }
    }

    /// Work became due by this process's own doing.
    pub(crate) fn announce(&self, topic: Topic) {
        self.waiting(topic).here.notify_one();
        self.waiting(topic).elsewhere.notify_one();
    }

    /// A redeploy became due. This server does it; the others look by themselves if it does not.
    pub(crate) fn announce_redeploy(&self) {
        self.redeploy.notify_one();
    }

    pub(crate) async fn redeploy(&self) {
        self.redeploy.notified().await;
    }

    /// The other servers have not been told yet.
    pub(crate) fn tell_again(&self, topic: Topic) {
        self.waiting(topic).elsewhere.notify_one();
    }

    /// Work became due by another server's doing.
    pub(crate) fn hear_of(&self, topic: Topic) {
        self.waiting(topic).here.notify_one();
    }

    /// A key was revoked; any may have been if it is `None`.
    pub(crate) fn hear_of_revocation(&self, key: Option<ApiKeyId>) {
        // It fails only without a receiver, and there is one for as long as there are signals.
        let _ = self.revoked.send(key);
    }

    /// Nobody listened for a while.
    pub(crate) fn missed_anything(&self) {
        self.hear_of(Topic::Sync);
        self.hear_of(Topic::Delivery);
        self.hear_of_revocation(None);
    }

    pub(crate) async fn due(&self, topic: Topic) {
        self.waiting(topic).here.notified().await;
    }

    /// What the other servers are to be told of.
    pub(crate) async fn others_to_tell(&self) -> Topic {
        tokio::select! {
            () = self.sync.elsewhere.notified() => Topic::Sync,
            () = self.delivery.elsewhere.notified() => Topic::Delivery,
        }
    }

    pub(crate) async fn revocation(&self) -> Option<ApiKeyId> {
        // The error says that too many came for a reader that was busy.
        self.revocations.lock().await.recv().await.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    #[tokio::test]
    async fn what_comes_early_is_kept() {
        let signals = Signals::new();
        assert!(signals.due(Topic::Sync).now_or_never().is_none());
        signals.announce(Topic::Sync);
        signals.announce(Topic::Sync);
        assert!(signals.due(Topic::Delivery).now_or_never().is_none(), "that is other work");
        assert!(signals.due(Topic::Sync).now_or_never().is_some());
        assert!(signals.due(Topic::Sync).now_or_never().is_none(), "two changes are one reason to look");
        assert_eq!(signals.others_to_tell().now_or_never(), Some(Topic::Sync));
        assert!(signals.others_to_tell().now_or_never().is_none());

        let key = ApiKeyId::from_uuid(Uuid::from_u128(1));
        signals.hear_of_revocation(Some(key));
        signals.missed_anything();
        assert_eq!(signals.revocation().await, Some(key));
        assert_eq!(signals.revocation().await, None);
        assert!(signals.due(Topic::Sync).now_or_never().is_some());
        assert!(signals.due(Topic::Delivery).now_or_never().is_some());
    }

    #[tokio::test]
    async fn what_another_server_did_is_not_told_on() {
        let signals = Signals::new();
        signals.hear_of(Topic::Sync);
        assert!(signals.others_to_tell().now_or_never().is_none());
    }

    #[tokio::test]
    async fn too_many_revocations_stand_for_any() {
        let signals = Signals::new();
        for number in 0..=KEPT_REVOCATIONS {
            signals.hear_of_revocation(Some(ApiKeyId::from_uuid(Uuid::from_u128(u128::try_from(number).unwrap()))));
        }
        assert_eq!(signals.revocation().await, None);
        assert_eq!(signals.revocation().await, Some(ApiKeyId::from_uuid(Uuid::from_u128(1))));
    }
}
