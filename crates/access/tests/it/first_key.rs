//! The first key is kept before it is stored: one that was stored and lost would lock everybody out.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use nora_access::BootstrapError;
use nora_kernel::audit::{Action, Actor};
use nora_kernel::{Scope, Scopes, Secret};

use crate::support::Access;

#[tokio::test]
async fn the_first_key_is_an_admins() {
    let access = Access::new();
    let kept = Mutex::new(None);
    let keep = |key: &Secret| {
        assert!(access.store.stored().is_empty(), "it is kept first");
        *kept.lock().unwrap() = Some(key.duplicate());
        Ok(())
    };
    assert!(access.keys().bootstrap(keep).await.unwrap());

    let kept = kept.into_inner().unwrap().unwrap();
    let principal = access.authenticator.authenticate(kept.expose()).await.unwrap();
    assert_eq!(principal.scopes, Scopes::NONE.with(Scope::Admin));
    let stored = access.store.stored();
    assert_eq!((stored.len(), stored[0].workspace.as_str(), stored[0].expires_at), (1, "default", None));
    let lines = access.store.lines();
    assert_eq!((lines.len(), lines[0].action, &lines[0].actor), (1, Action::KeyCreated, &Actor::System));
    assert_eq!((lines[0].workspace.as_str(), lines[0].request), ("default", None));
}

#[tokio::test]
async fn there_is_one_first_key() {
    let access = Access::new();
    assert!(access.keys().bootstrap(|_| Ok(())).await.unwrap());
    assert!(!access.keys().bootstrap(|_| Ok(())).await.unwrap());
    assert_eq!(access.store.stored().len(), 1);
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_is_not_stored() {
    let access = Access::new();
    let refused = access.keys().bootstrap(|_| Err("the disk is full".into())).await.unwrap_err();
    assert!(matches!(refused, BootstrapError::Keep(_)), "{refused}");
    assert!(access.store.stored().is_empty() && access.store.lines().is_empty());
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_an_error() {
    let access = Access::new();
    access.store.down.store(true, Ordering::SeqCst);
    let refused = access.keys().bootstrap(|_| Ok(())).await.unwrap_err();
    assert!(matches!(refused, BootstrapError::Unavailable(_)), "{refused}");
}
