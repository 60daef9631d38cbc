//! Verified keys are believed for a second, and not a moment longer than a revocation allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use nora_access::{AuthenticationError, Authenticator, KeyText};
use nora_kernel::audit::Actor;
use nora_kernel::{Clock, Timestamp};
use nora_testkit::{PlainDigest, SequentialBytes};

use crate::support::{Access, Store, key_text};

const MOMENT: Duration = Duration::from_micros(1);
const ALMOST_A_SECOND: Duration = Duration::from_micros(999_999);

impl Access {
    async fn accepts(&self, text: &KeyText) -> bool {
        match self.authenticator.authenticate(text.reveal().expose()).await {
            Ok(_) => true,
            Err(AuthenticationError::Invalid) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn a_key_is_its_record() {
    let access = Access::new();
    let text = key_text(1, 1);
    let key = access.hold(&text, |_| ());
    let principal = access.authenticator.authenticate(text.reveal().expose()).await.unwrap();
    assert_eq!(principal.actor, Actor::ApiKey(key.id));
    assert_eq!((&principal.workspace, principal.scopes), (&key.workspace, key.scopes));
}

#[tokio::test]
async fn the_store_is_asked_once_a_second() {
    let access = Access::new();
    let text = key_text(1, 1);
    access.hold(&text, |_| ());
    assert!(access.accepts(&text).await);
    access.clock.advance(ALMOST_A_SECOND);
    assert!(access.accepts(&text).await);
    assert_eq!(access.store.lookups(), 1);
    access.clock.advance(MOMENT);
    assert!(access.accepts(&text).await);
    assert_eq!(access.store.lookups(), 2);
}

#[tokio::test]
async fn a_key_that_went_unannounced_is_believed_for_a_second_at_most() {
    let access = Access::new();
    let text = key_text(1, 1);
    let key = access.hold(&text, |_| ());
    assert!(access.accepts(&text).await);
    access.store.drop_key(key.id);
    access.clock.advance(Duration::from_secs(1));
    assert!(!access.accepts(&text).await);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_every_time() {
    let access = Access::new();
    let text = key_text(1, 1);
    assert!(!access.accepts(&text).await);
    access.hold(&text, |_| ());
    assert!(access.accepts(&text).await);
    assert_eq!(access.store.lookups(), 2);
}

#[tokio::test]
async fn the_public_part_alone_proves_nothing() {
    let access = Access::new();
    let (right, wrong) = (key_text(1, 1), key_text(1, 2));
    assert_eq!(right.id(), wrong.id());
    access.hold(&right, |_| ());
    assert!(!access.accepts(&wrong).await, "loaded");
    assert!(access.accepts(&right).await);
    assert!(!access.accepts(&wrong).await, "remembered");
    assert_eq!(access.store.lookups(), 1);
}

#[tokio::test]
async fn a_key_expires_while_it_is_remembered() {
    let access = Access::new();
    let text = key_text(1, 1);
    let expiry = access.clock.now().after(Duration::from_millis(500));
    access.hold(&text, |key| key.expires_at = Some(expiry));
    access.clock.advance(Duration::from_micros(499_999));
    assert!(access.accepts(&text).await);
    access.clock.advance(MOMENT);
    assert!(!access.accepts(&text).await);
    assert_eq!(access.store.lookups(), 1);
    access.clock.advance(Duration::from_mins(1));
    assert!(!access.accepts(&text).await);
}

#[tokio::test]
async fn forgetting_a_key_leaves_the_others() {
    let access = Access::new();
    let (one, other) = (key_text(1, 1), key_text(2, 2));
    let key = access.hold(&one, |_| ());
    access.hold(&other, |_| ());
    assert!(access.accepts(&one).await && access.accepts(&other).await);
    access.authenticator.forget(Some(key.id));
    access.store.drop_key(key.id);
    assert!(!access.accepts(&one).await);
    assert!(access.accepts(&other).await);
    assert_eq!(access.store.lookups(), 3);
}

#[tokio::test]
async fn forgetting_everything_leaves_nothing() {
    let access = Access::new();
    let texts = [key_text(1, 1), key_text(2, 2)];
    for text in &texts {
        access.hold(text, |_| ());
        assert!(access.accepts(text).await);
    }
    access.authenticator.forget(None);
    for text in &texts {
        assert!(access.accepts(text).await);
    }
    assert_eq!(access.store.lookups(), 4);
}

#[tokio::test]
async fn what_was_read_before_a_revocation_is_not_remembered_after_it() {
    let access = Arc::new(Access::new());
    let text = key_text(1, 1);
    let key = access.hold(&text, |_| ());
    access.store.held_back.store(true, Ordering::SeqCst);

    let late = tokio::spawn({
        let (access, text) = (Arc::clone(&access), key_text(1, 1));
        async move { access.accepts(&text).await }
    });
    access.store.has_read.notified().await;
    access.store.drop_key(key.id);
    access.authenticator.forget(Some(key.id));
    access.store.held_back.store(false, Ordering::SeqCst);
    access.store.may_answer.notify_one();

    assert!(late.await.unwrap(), "a request that was under way is answered");
    assert!(!access.accepts(&text).await);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_not_a_wrong_key() {
    let access = Access::new();
    access.store.down.store(true, Ordering::SeqCst);
    let refused = access.authenticator.authenticate(key_text(1, 1).reveal().expose()).await;
    let Err(AuthenticationError::Unavailable(source)) = refused else { panic!("{refused:?}") };
    assert!(source.is_retryable());
}

#[tokio::test]
async fn a_flood_of_keys_is_not_remembered_without_end() {
    let access = Access::new();
    let entropy = SequentialBytes::new();
    let first = KeyText::generate(&entropy).unwrap();
    access.hold(&first, |_| ());
    assert!(access.accepts(&first).await);
    let stored = access.store.keys.lock().unwrap().remove(0);
    for _ in 0..10_000 {
        let next = KeyText::generate(&entropy).unwrap();
        access.hold(&next, |_| ());
        assert!(access.accepts(&next).await);
        access.store.keys.lock().unwrap().clear();
    }
    access.store.keys.lock().unwrap().push(stored);
    assert!(access.accepts(&first).await);
    assert_eq!(access.store.lookups(), 10_002, "the first one had to be looked up again");
}

#[derive(Clone)]
struct Unsteady(Arc<AtomicI64>);

impl Clock for Unsteady {
    fn now(&self) -> Timestamp {
        Timestamp::from_microseconds(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_key_believed_for_longer() {
    let access = Access::new();
    let text = key_text(1, 1);
    access.hold(&text, |_| ());
    let clock = Unsteady(Arc::new(AtomicI64::new(10_000_000)));
    let store: Arc<Store> = Arc::clone(&access.store);
    let authenticator = Authenticator::new(store, None, Arc::new(clock.clone()), Arc::new(PlainDigest));
    authenticator.authenticate(text.reveal().expose()).await.unwrap();
    clock.0.store(5_000_000, Ordering::SeqCst);
    authenticator.authenticate(text.reveal().expose()).await.unwrap();
    assert_eq!(access.store.lookups(), 2);
}
