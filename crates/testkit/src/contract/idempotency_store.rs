//! What every `IdempotencyStore` promises.

use std::time::Duration;

use nora_kernel::{Idempotency, StoredAnswer};

use crate::Fixture;
use crate::samples::named;
use crate::scene::Scene;

/// Answers are written by the work they belong to; registering an agent is such work.
async fn remember(scene: &Scene<'_>, answer: &Idempotency) {
    scene.agents().insert(&scene.samples.agent(), &scene.samples.line(), Some(answer)).await.unwrap();
}

async fn found(scene: &Scene<'_>, answer: &Idempotency) -> Option<Idempotency> {
    let Idempotency { principal, route, key, .. } = answer;
    scene.idempotency().find(principal, route, key, scene.now()).await.unwrap()
}

pub async fn every_field_survives(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (one, mut other) = (scene.samples.answer("one"), scene.samples.answer(" ~!'key'"));
    other.body_digest = std::array::from_fn(|index| u8::try_from(index).unwrap());
    other.answer = StoredAnswer { status: 299, location: None, body: "{\"name\":\"\\u0000 é\"}".to_owned() };
    for answer in [&one, &other] {
        remember(&scene, answer).await;
    }
    assert_eq!((found(&scene, &one).await, found(&scene, &other).await), (Some(one), Some(other)));
}

pub async fn another_principal_route_or_key_has_no_record(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let answer = scene.samples.answer("one");
    remember(&scene, &answer).await;
    for other in [
        Idempotency { principal: "api_key:2".to_owned(), ..answer.clone() },
        Idempotency { route: "POST /api/agents/1/integrations".to_owned(), ..answer.clone() },
        Idempotency { key: named("One"), ..answer.clone() },
    ] {
        assert_eq!(found(&scene, &other).await, None);
        remember(&scene, &other).await;
        assert_eq!(found(&scene, &other).await, Some(other));
    }
}

pub async fn an_expired_record_counts_as_absent(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let answer = scene.samples.answer("one");
    remember(&scene, &answer).await;
    scene.advance(Duration::from_hours(24) + Duration::from_secs(1));
    assert_eq!(found(&scene, &answer).await, None);

    let newer = Idempotency { body_digest: [9; 32], ..scene.samples.answer("one") };
    remember(&scene, &newer).await;
    assert_eq!(found(&scene, &answer).await, Some(newer));
}

pub async fn prune_deletes_what_has_expired_up_to_its_limit(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    for key in ["a", "b", "c"] {
        remember(&scene, &scene.samples.answer(key)).await;
    }
    scene.advance(Duration::from_hours(12));
    let young = scene.samples.answer("young");
    remember(&scene, &young).await;
    assert_eq!(scene.idempotency().prune(scene.now(), 10).await.unwrap(), 0);

    scene.advance(Duration::from_hours(12) + Duration::from_secs(1));
    assert_eq!(scene.idempotency().prune(scene.now(), 2).await.unwrap(), 2);
    assert_eq!(scene.idempotency().prune(scene.now(), 2).await.unwrap(), 1);
    assert_eq!(scene.idempotency().prune(scene.now(), 2).await.unwrap(), 0);
    assert_eq!(found(&scene, &young).await, Some(young));
}

#[macro_export]
macro_rules! idempotency_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => idempotency_store:
            every_field_survives,
            another_principal_route_or_key_has_no_record,
            an_expired_record_counts_as_absent,
            prune_deletes_what_has_expired_up_to_its_limit,
        }
    };
}
