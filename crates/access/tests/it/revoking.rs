//! A revoked key is refused from the next request on, and only by whom could have made it.

use std::sync::atomic::Ordering;

use nora_access::RevokeKeyError;
use nora_kernel::audit::{Action, Resource, ResourceKind};
use nora_kernel::{ApiKeyId, Scope};
use nora_testkit::samples::named;
use uuid::Uuid;

use crate::support::{Access, caller, key_text, scopes_of};

impl Access {
    async fn is_accepted(&self) -> bool {
        self.authenticator.authenticate(key_text(1, 1).reveal().expose()).await.is_ok()
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |_| ());
    let other = key_text(2, 2);
    access.hold(&other, |_| ());
    assert!(access.is_accepted().await && access.authenticator.authenticate(other.reveal().expose()).await.is_ok());
    let revoker = caller(&[Scope::Admin]);
    access.keys().revoke(&revoker, key.id).await.unwrap();
    assert!(!access.is_accepted().await);
    assert!(access.authenticator.authenticate(other.reveal().expose()).await.is_ok());
    assert_eq!(access.store.lookups(), 3, "the other key is remembered as before");

    let lines = access.store.lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.action, &line.resource), (Action::KeyRevoked, &Resource::new(ResourceKind::Key, key.id)));
    assert_eq!((&line.actor, line.request), (&revoker.actor, Some(revoker.request)));
    assert_eq!(line.workspace, key.workspace);
}

#[tokio::test]
async fn whoever_holds_every_scope_of_a_key_may_revoke_it() {
    let access = Access::new();
    let scopes = [Scope::AgentsRead, Scope::AgentsWrite];
    let key = access.hold(&key_text(1, 1), |key| key.scopes = scopes_of(&scopes));
    let part = caller(&[Scope::KeysWrite, Scope::AgentsRead]);
    let refused = access.keys().revoke(&part, key.id).await.unwrap_err();
    assert!(matches!(refused, RevokeKeyError::ScopeBeyondCaller(Scope::AgentsWrite)), "{refused}");
    assert!(access.is_accepted().await && access.store.lines().is_empty());
    access.keys().revoke(&caller(&scopes), key.id).await.unwrap();
}

#[tokio::test]
async fn nobody_but_admin_revokes_admin() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |key| key.scopes = scopes_of(&[Scope::Admin]));
    let every_other: Vec<Scope> = Scope::ALL.iter().copied().filter(|scope| *scope != Scope::Admin).collect();
    let refused = access.keys().revoke(&caller(&every_other), key.id).await.unwrap_err();
    assert!(matches!(refused, RevokeKeyError::ScopeBeyondCaller(Scope::Admin)), "{refused}");
    access.keys().revoke(&caller(&[Scope::Admin]), key.id).await.unwrap();
}

#[tokio::test]
async fn another_workspaces_key_does_not_exist() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |key| {
        key.workspace = named("beta");
        key.scopes = scopes_of(&[Scope::Admin]);
    });
    let unknown = ApiKeyId::from_uuid(Uuid::from_u128(9));
    for id in [key.id, unknown] {
        let refused = access.keys().revoke(&caller(&[Scope::KeysWrite]), id).await.unwrap_err();
        assert!(matches!(refused, RevokeKeyError::NotFound), "{refused}");
    }
    assert!(access.is_accepted().await);
    access.keys().revoke(&caller(&[Scope::Admin]), key.id).await.unwrap();
    let again = access.keys().revoke(&caller(&[Scope::Admin]), key.id).await.unwrap_err();
    assert!(matches!(again, RevokeKeyError::NotFound), "{again}");
}

#[tokio::test]
async fn a_revocation_whose_answer_got_lost_counts() {
    let access = Access::new();
    let key = access.hold(&key_text(1, 1), |_| ());
    assert!(access.is_accepted().await);
    access.store.answers_get_lost.store(true, Ordering::SeqCst);
    let lost = access.keys().revoke(&caller(&[Scope::Admin]), key.id).await.unwrap_err();
    assert!(matches!(lost, RevokeKeyError::Unavailable(_)), "{lost}");
    assert!(!access.is_accepted().await);
}
