//! A key can do no more than its maker.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nora_access::{CreateKey, CreateKeyError, KeyText};
use nora_kernel::audit::{Action, Actor, Outcome, Resource, ResourceKind};
use nora_kernel::{Clock, PageRequest, Scope, Timestamp, WorkspaceForbidden};
use nora_testkit::PlainDigest;
use nora_testkit::samples::named;

use crate::support::{Access, Scripted, caller, scopes_of};

fn request(scopes: &[Scope]) -> CreateKey {
    CreateKey { name: named("CI"), scopes: scopes_of(scopes), workspace: None, expires_at: None }
}

#[tokio::test]
async fn a_key_is_stored_hashed_and_shown_once() {
    let access = Access::new();
    let maker = caller(&[Scope::KeysWrite, Scope::AgentsRead]);
    let expiry = access.clock.now().after(Duration::from_secs(1));
    let request = CreateKey { expires_at: Some(expiry), ..request(&[Scope::AgentsRead]) };
    let made = access.keys().create(&maker, request).await.unwrap();

    assert_eq!(access.store.stored(), std::slice::from_ref(&made.record));
    assert_eq!((made.record.name.as_str(), made.record.workspace.as_str()), ("CI", "alpha"));
    assert_eq!((made.record.scopes, made.record.expires_at), (scopes_of(&[Scope::AgentsRead]), Some(expiry)));
    assert_eq!((made.record.created_at, made.record.last_used_at), (access.clock.now(), None));
    let text: KeyText = made.key.expose().parse().unwrap();
    assert_eq!(text.id(), &made.record.public_id);
    assert_eq!(access.store.keys.lock().unwrap()[0].hash, text.hash(&PlainDigest));

    let principal = access.authenticator.authenticate(made.key.expose()).await.unwrap();
    assert_eq!(principal.actor, Actor::ApiKey(made.record.id));
}

#[tokio::test]
async fn the_line_says_who_made_it() {
    let access = Access::new();
    let maker = caller(&[Scope::Admin]);
    let request = CreateKey { workspace: Some(named("beta")), ..request(&[Scope::AgentsRead]) };
    let made = access.keys().create(&maker, request).await.unwrap();
    let lines = access.store.lines();
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.action, line.outcome, line.at), (Action::KeyCreated, Outcome::Success, access.clock.now()));
    assert_eq!((&line.actor, line.request), (&maker.actor, Some(maker.request)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Key, made.record.id));
    assert_eq!(line.workspace.as_str(), "beta", "the trail of the key's workspace");
}

#[tokio::test]
async fn two_keys_are_different() {
    let access = Access::new();
    let (keys, maker) = (access.keys(), caller(&[Scope::Admin]));
    let one = keys.create(&maker, request(&[Scope::AgentsRead])).await.unwrap();
    let other = keys.create(&maker, request(&[Scope::AgentsRead])).await.unwrap();
    assert_ne!(one.key.expose(), other.key.expose());
    assert_ne!(one.record.public_id, other.record.public_id);
    assert_ne!(one.record.id, other.record.id);
}

#[tokio::test]
async fn a_key_carries_no_scope_its_maker_lacks() {
    let access = Access::new();
    let maker = caller(&[Scope::KeysWrite, Scope::AgentsWrite]);
    for beyond in [Scope::AgentsRead, Scope::IntegrationsWrite, Scope::Admin] {
        let refused = access.keys().create(&maker, request(&[Scope::AgentsWrite, beyond])).await.unwrap_err();
        assert!(matches!(refused, CreateKeyError::ScopeBeyondMaker(scope) if scope == beyond), "{refused}");
    }
    access.keys().create(&maker, request(&[Scope::AgentsWrite, Scope::KeysWrite])).await.unwrap();
    access.keys().create(&caller(&[Scope::Admin]), request(Scope::ALL)).await.unwrap();
    assert_eq!(access.store.stored().len(), 2);
}

#[tokio::test]
async fn only_admin_names_another_workspace() {
    let access = Access::new();
    let elsewhere = || CreateKey { workspace: Some(named("beta")), ..request(&[Scope::KeysWrite]) };
    let refused = access.keys().create(&caller(&[Scope::KeysWrite]), elsewhere()).await.unwrap_err();
    assert!(matches!(refused, CreateKeyError::Workspace(WorkspaceForbidden)), "{refused}");
    assert!(access.store.stored().is_empty());
    let made = access.keys().create(&caller(&[Scope::Admin]), elsewhere()).await.unwrap();
    assert_eq!(made.record.workspace.as_str(), "beta");
}

#[tokio::test]
async fn a_key_that_could_do_nothing_is_not_made() {
    let access = Access::new();
    let maker = caller(&[Scope::Admin]);
    let refused = access.keys().create(&maker, request(&[])).await.unwrap_err();
    assert!(matches!(refused, CreateKeyError::NoScopes), "{refused}");
    for past in [access.clock.now(), Timestamp::from_microseconds(0)] {
        let request = CreateKey { expires_at: Some(past), ..request(&[Scope::AgentsRead]) };
        let refused = access.keys().create(&maker, request).await.unwrap_err();
        assert!(matches!(refused, CreateKeyError::ExpiresInThePast), "{refused}");
    }
    assert!(access.store.stored().is_empty() && access.store.lines().is_empty());
}

#[tokio::test]
async fn without_randomness_there_is_no_key() {
    let access = Access::new();
    let keys = access.keys_from(Arc::new(Scripted::of(&[1])));
    let refused = keys.create(&caller(&[Scope::Admin]), request(&[Scope::AgentsRead])).await.unwrap_err();
    assert!(matches!(refused, CreateKeyError::Entropy(_)), "{refused}");
    assert!(access.store.stored().is_empty());
}

#[tokio::test]
async fn a_key_that_was_not_stored_is_not_shown() {
    let access = Access::new();
    access.store.down.store(true, Ordering::SeqCst);
    let refused = access.keys().create(&caller(&[Scope::Admin]), request(&[Scope::AgentsRead])).await.unwrap_err();
    assert!(matches!(refused, CreateKeyError::Unavailable(_)), "{refused}");
}

#[tokio::test]
async fn a_list_is_one_workspaces() {
    let access = Access::new();
    let maker = caller(&[Scope::Admin]);
    let made = access.keys().create(&maker, request(&[Scope::AgentsRead])).await.unwrap();
    let elsewhere = CreateKey { workspace: Some(named("beta")), ..request(&[Scope::AgentsRead]) };
    access.keys().create(&maker, elsewhere).await.unwrap();
    let page = access.keys().list(&named("alpha"), PageRequest::default()).await.unwrap();
    assert_eq!((page.items, page.next), (vec![made.record], None));
}
