//! What every `KeyStore` promises.

use std::time::Duration;

use futures_util::future::join_all;
use nora_access::ports::KeyStore;
use nora_access::{ApiKey, StoredKey};
use nora_kernel::{ApiKeyId, IdSource as _, Page, PageRequest, Reach, Scope, Scopes, Workspace};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::{PATIENCE, Scene, foreign, within};

async fn added(scene: &Scene<'_>) -> StoredKey {
    let key = scene.samples.key();
    scene.keys().insert(&key, &scene.samples.line()).await.unwrap();
    key
}

async fn listed(scene: &Scene<'_>, workspace: &Workspace) -> Vec<ApiKey> {
    scene.keys().list(workspace, PageRequest::default()).await.unwrap().items
}

async fn found(keys: &dyn KeyStore, key: &StoredKey) -> Option<StoredKey> {
    keys.find_by_public_id(&key.key.public_id).await.unwrap()
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut key = scene.samples.key();
    key.key.name = named("Ключ 🔑 'quoted'");
    key.key.scopes = Scope::ALL.iter().fold(Scopes::NONE, |scopes, scope| scopes.with(*scope));
    key.key.expires_at = Some(scene.now().after(Duration::from_micros(1)));
    key.hash = std::array::from_fn(|index| u8::try_from(255 - index).unwrap());
    scene.keys().insert(&key, &scene.samples.line()).await.unwrap();

    let read = found(scene.keys().as_ref(), &key).await.unwrap();
    assert_eq!((&read.key, read.hash), (&key.key, key.hash));
    assert_eq!(scene.keys().find(&Reach::Everything, key.key.id).await.unwrap(), Some(key.key));
}

pub async fn insert_writes_the_line_with_the_key(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let line = scene.samples.line();
    scene.keys().insert(&scene.samples.key(), &line).await.unwrap();
    assert_eq!(scene.lines().await, [line]);
}

pub async fn the_first_key_is_added_once(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (first, line) = (scene.samples.key(), scene.samples.line());
    assert!(scene.keys().insert_first(&first, &line).await.unwrap());

    let second = scene.samples.key();
    assert!(!scene.keys().insert_first(&second, &scene.samples.line()).await.unwrap());
    assert!(found(scene.keys().as_ref(), &second).await.is_none());
    assert_eq!(scene.lines().await, [line]);
}

pub async fn a_revoked_key_is_still_the_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let key = added(&scene).await;
    assert!(scene.keys().revoke(&Reach::Everything, key.key.id, &scene.samples.line()).await.unwrap());
    assert!(!scene.keys().insert_first(&scene.samples.key(), &scene.samples.line()).await.unwrap());
}

pub async fn one_of_many_servers_adds_the_first_key(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let servers = (0..8).map(|number| {
        let keys = if number % 2 == 0 { scene.keys() } else { scene.elsewhere().keys() };
        let (key, line) = (scene.samples.key(), scene.samples.line());
        tokio::spawn(async move { keys.insert_first(&key, &line).await.unwrap() })
    });
    let won = join_all(servers).await.into_iter().filter(|won| *won.as_ref().unwrap()).count();
    assert_eq!((won, listed(&scene, &workspace()).await.len(), scene.lines().await.len()), (1, 1, 1));
}

pub async fn an_expired_key_is_found(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut key = scene.samples.key();
    key.key.expires_at = Some(scene.now().before(Duration::from_hours(1)));
    scene.keys().insert(&key, &scene.samples.line()).await.unwrap();
    assert!(found(scene.keys().as_ref(), &key).await.is_some());
}

pub async fn an_unknown_key_is_not_found(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    added(&scene).await;
    let other = scene.samples.key();
    assert!(found(scene.keys().as_ref(), &other).await.is_none());
    assert_eq!(scene.keys().find(&Reach::Everything, other.key.id).await.unwrap(), None);
}

pub async fn find_keeps_to_its_reach(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let key = added(&scene).await.key;
    assert_eq!(scene.keys().find(&foreign(), key.id).await.unwrap(), None);
    assert_eq!(scene.keys().find(&within(&key.workspace), key.id).await.unwrap().as_ref(), Some(&key));
    assert_eq!(scene.keys().find(&Reach::Everything, key.id).await.unwrap(), Some(key));
}

pub async fn list_keeps_to_its_workspace(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let own = added(&scene).await;
    let beta = named("beta");
    scene.keys().insert(&scene.samples.key_in(&beta), &scene.samples.line_in(&beta)).await.unwrap();
    assert_eq!(listed(&scene, &workspace()).await, [own.key]);
}

pub async fn list_pages_newest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut newest_first = Vec::new();
    // Two were made at once, then one later: the tie is ordered by id.
    for wait in [0, 0, 1, 0, 1] {
        scene.advance(Duration::from_micros(wait));
        newest_first.insert(0, added(&scene).await.key);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let request = PageRequest { limit: named("2"), after };
        let Page { items, next } = scene.keys().list(&workspace(), request).await.unwrap();
        assert!(items.len() <= 2, "{items:?}");
        seen.extend(items);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, newest_first);
}

pub async fn a_full_last_page_has_no_next(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    added(&scene).await;
    added(&scene).await;
    let page = scene.keys().list(&workspace(), PageRequest { limit: named("2"), after: None }).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
}

pub async fn a_revoked_key_is_found_nowhere(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (key, line) = (added(&scene).await, scene.samples.line());
    assert!(scene.keys().revoke(&within(&workspace()), key.key.id, &line).await.unwrap());
    assert!(found(scene.keys().as_ref(), &key).await.is_none());
    assert!(found(scene.elsewhere().keys().as_ref(), &key).await.is_none());
    assert_eq!(scene.keys().find(&Reach::Everything, key.key.id).await.unwrap(), None);
    assert_eq!(listed(&scene, &workspace()).await, []);
    assert!(scene.has_line(&line).await);
}

pub async fn revoking_nothing_writes_nothing(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let key = added(&scene).await;
    let unknown = ApiKeyId::from_uuid(scene.samples.ids.next());
    let refused = scene.samples.line();
    assert!(!scene.keys().revoke(&foreign(), key.key.id, &refused).await.unwrap());
    assert!(!scene.keys().revoke(&Reach::Everything, unknown, &refused).await.unwrap());
    assert!(found(scene.keys().as_ref(), &key).await.is_some());

    assert!(scene.keys().revoke(&Reach::Everything, key.key.id, &scene.samples.line()).await.unwrap());
    assert!(!scene.keys().revoke(&Reach::Everything, key.key.id, &refused).await.unwrap());
    assert!(!scene.has_line(&refused).await);
}

async fn reports(keys: &dyn KeyStore, key: ApiKeyId) {
    while keys.revocation().await.is_some_and(|revoked| revoked != key) {}
}

async fn is_reported(scene: &Scene<'_>, watcher: &dyn KeyStore) {
    let key = added(scene).await.key.id;
    let (told, revoked) = tokio::join!(tokio::time::timeout(PATIENCE, reports(watcher, key)), async {
        scene.keys().revoke(&Reach::Everything, key, &scene.samples.line()).await.unwrap()
    },);
    assert!(revoked && told.is_ok(), "the revocation was not reported");
}

pub async fn a_revocation_is_reported_here(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    is_reported(&scene, scene.keys().as_ref()).await;
}

pub async fn a_revocation_is_reported_on_other_servers(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    is_reported(&scene, scene.elsewhere().keys().as_ref()).await;
}

pub async fn a_revocation_between_two_waits_is_reported(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let keys = scene.keys();
    is_reported(&scene, keys.as_ref()).await;
    let second = added(&scene).await.key.id;
    assert!(keys.revoke(&Reach::Everything, second, &scene.samples.line()).await.unwrap());
    tokio::time::timeout(PATIENCE, reports(keys.as_ref(), second)).await.unwrap();
}

pub async fn usage_never_goes_back(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (one, other) = (added(&scene).await.key.id, added(&scene).await.key.id);
    let (earlier, later) = (scene.now(), scene.now().after(Duration::from_mins(1)));
    scene.keys().record_usage(&[(one, later), (other, earlier)]).await.unwrap();
    scene.keys().record_usage(&[(one, earlier), (other, later)]).await.unwrap();
    for key in [one, other] {
        let found = scene.keys().find(&Reach::Everything, key).await.unwrap().unwrap();
        assert_eq!(found.last_used_at, Some(later));
    }
}

pub async fn usage_of_unknown_keys_is_ignored(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let known = added(&scene).await.key.id;
    let unknown = ApiKeyId::from_uuid(scene.samples.ids.next());
    scene.keys().record_usage(&[(unknown, scene.now()), (known, scene.now())]).await.unwrap();
    scene.keys().record_usage(&[]).await.unwrap();
    let found = scene.keys().find(&Reach::Everything, known).await.unwrap().unwrap();
    assert_eq!(found.last_used_at, Some(scene.now()));
}

#[macro_export]
macro_rules! key_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => key_store:
            every_field_survives,
            insert_writes_the_line_with_the_key,
            the_first_key_is_added_once,
            a_revoked_key_is_still_the_first,
            one_of_many_servers_adds_the_first_key,
            an_expired_key_is_found,
            an_unknown_key_is_not_found,
            find_keeps_to_its_reach,
            list_keeps_to_its_workspace,
            list_pages_newest_first,
            a_full_last_page_has_no_next,
            a_revoked_key_is_found_nowhere,
            revoking_nothing_writes_nothing,
            a_revocation_is_reported_here,
            a_revocation_is_reported_on_other_servers,
            a_revocation_between_two_waits_is_reported,
            usage_never_goes_back,
            usage_of_unknown_keys_is_ignored,
        }
    };
}
