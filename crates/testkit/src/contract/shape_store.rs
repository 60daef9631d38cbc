//! What every `ShapeStore` promises.

use nora_agents::ports::StoredAgent;
use nora_integrations::ports::Shapes;
use nora_kernel::ProviderId;

use crate::Fixture;
use crate::samples::named;
use crate::scene::Scene;

fn shapes(of: &[(&ProviderId, &str)]) -> Shapes {
    of.iter().map(|(id, shape)| ((*id).clone(), (*shape).to_owned())).collect()
}

async fn adopt(scene: &Scene<'_>, given: &[(&ProviderId, &str)]) -> u64 {
    scene.shapes().adopt(&shapes(given), scene.now()).await.unwrap()
}

/// An agent with one integration, in step, and that integration's provider.
async fn connected(scene: &Scene<'_>) -> (StoredAgent, ProviderId) {
    let agent = scene.add_agent().await;
    let new = scene.add_integration(&agent).await;
    scene.sync_once().await;
    (agent, new.integration.provider)
}

pub async fn another_shape_raises_whoever_is_connected(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, provider) = connected(&scene).await;
    adopt(&scene, &[(&provider, "one")]).await;
    let before = scene.desired(&agent).await;
    assert_eq!(adopt(&scene, &[(&provider, "two")]).await, 1);
    assert_eq!(scene.desired(&agent).await, before + 1);
    assert_eq!(scene.sync_once().await, before + 1, "it is due");
}

pub async fn nobody_else_is_raised(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (_, provider) = connected(&scene).await;
    let other: ProviderId = named("some-other-provider");
    let idle = scene.add_synced_agent().await;
    adopt(&scene, &[(&provider, "one"), (&other, "one")]).await;
    let before = scene.desired(&idle).await;
    assert_eq!(adopt(&scene, &[(&provider, "one"), (&other, "two")]).await, 0, "nobody is connected to it");
    assert_eq!(adopt(&scene, &[(&provider, "two"), (&other, "two")]).await, 1);
    assert_eq!(scene.desired(&idle).await, before);
}

pub async fn the_same_shapes_raise_nobody(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, provider) = connected(&scene).await;
    assert_eq!(adopt(&scene, &[(&provider, "one")]).await, 1, "nothing was known before");
    let before = scene.desired(&agent).await;
    assert_eq!(adopt(&scene, &[(&provider, "one")]).await, 0);
    assert_eq!(scene.desired(&agent).await, before);
}

pub async fn a_provider_that_is_gone_or_back_counts_as_changed(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (_, provider) = connected(&scene).await;
    adopt(&scene, &[(&provider, "one")]).await;
    assert_eq!(adopt(&scene, &[]).await, 1);
    assert_eq!(adopt(&scene, &[]).await, 0);
    assert_eq!(adopt(&scene, &[(&provider, "one")]).await, 1);
}

pub async fn a_retired_target_is_not_raised(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, provider) = connected(&scene).await;
    scene.delete(&agent).await;
    assert_eq!(adopt(&scene, &[(&provider, "one")]).await, 0);
}

#[macro_export]
macro_rules! shape_store_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => shape_store:
            another_shape_raises_whoever_is_connected,
            nobody_else_is_raised,
            the_same_shapes_raise_nobody,
            a_provider_that_is_gone_or_back_counts_as_changed,
            a_retired_target_is_not_raised,
        }
    };
}
