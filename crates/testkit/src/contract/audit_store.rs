//! What every `AuditStore` promises.

use std::time::Duration;

use nora_kernel::audit::{Action, Actor, AuditLine, Outcome, Resource, ResourceKind};
use nora_kernel::{PageRequest, Purpose};

use crate::Fixture;
use crate::samples::{named, workspace};
use crate::scene::Scene;

/// Every change writes a line; adding a key is the smallest.
async fn write(scene: &Scene<'_>, line: &AuditLine) {
    scene.keys().insert(&scene.samples.key(), line).await.unwrap();
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let bare = AuditLine { agent: None, request: None, actor: Actor::System, ..scene.samples.line() };
    let full = AuditLine {
        actor: Actor::Jwt("user|'42'".to_owned()),
        action: Action::CredentialsOpened,
        resource: Resource::new(ResourceKind::Integration, "an id"),
        purpose: Some(Purpose::Deployment),
        outcome: Outcome::Failure,
        ..scene.samples.line()
    };
    let by_key = scene.samples.line();
    for line in [&bare, &full, &by_key] {
        write(&scene, line).await;
    }
    assert_eq!(scene.lines().await, [by_key, full, bare]);
}

pub async fn list_keeps_to_its_workspace(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (own, other) = (scene.samples.line(), scene.samples.line_in(&named("beta")));
    write(&scene, &own).await;
    write(&scene, &other).await;
    assert_eq!(scene.lines().await, [own]);
    assert_eq!(scene.lines_of(&named("beta")).await, [other]);
    assert_eq!(scene.lines_of(&named("gamma")).await, []);
}

pub async fn list_pages_newest_first(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut newest_first = Vec::new();
    for wait in [0, 0, 1, 0, 0, 1] {
        scene.advance(Duration::from_micros(wait));
        let line = scene.samples.line();
        write(&scene, &line).await;
        newest_first.insert(0, line);
    }
    let limit = named("4");
    let first = scene.audit().list(&workspace(), PageRequest { limit, after: None }).await.unwrap();
    assert_eq!(first.items, newest_first[..4]);
    let second = scene.audit().list(&workspace(), PageRequest { limit, after: first.next }).await.unwrap();
    assert_eq!((second.items.as_slice(), second.next), (&newest_first[4..], None));
}

pub async fn old_lines_are_pruned_everywhere(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (beta, gamma) = (named("beta"), named("gamma"));
    for workspace in [&workspace(), &beta, &gamma, &beta] {
        write(&scene, &scene.samples.line_in(workspace)).await;
    }
    scene.advance(Duration::from_secs(1));
    let now = scene.now();
    let kept = [scene.samples.line_in(&beta), scene.samples.line()];
    for line in &kept {
        write(&scene, line).await;
    }
    assert_eq!(scene.audit().prune(now.before(Duration::from_secs(1)), 9).await.unwrap(), 0, "not from before it");
    for pruned in [3, 1, 0] {
        assert_eq!(scene.audit().prune(now, 3).await.unwrap(), pruned);
    }
    let [own, other] = kept;
    assert_eq!(scene.lines_of(&beta).await, [own]);
    assert_eq!((scene.lines().await, scene.lines_of(&gamma).await), (vec![other], vec![]));
}

#[macro_export]
macro_rules! audit_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => audit_store:
            every_field_survives,
            list_keeps_to_its_workspace,
            list_pages_newest_first,
            old_lines_are_pruned_everywhere,
        }
    };
}
