//! What every `KeyCustody` promises.

use futures_util::future::join_all;
use nora_kernel::{AgentId, WrappedKey};

use crate::Fixture;
use crate::samples::workspace;
use crate::scene::Scene;

pub async fn the_first_check_value_counts(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    assert_eq!(scene.custody().check_value().await.unwrap(), None);
    assert_eq!(scene.custody().set_check_value(b"one").await.unwrap(), b"one");
    assert_eq!(scene.custody().set_check_value(b"two").await.unwrap(), b"one");
    assert_eq!(scene.custody().check_value().await.unwrap(), Some(b"one".to_vec()));
}

pub async fn all_servers_agree_on_one_check_value(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let servers = (0_u8..8).map(|number| {
        let custody = if number % 2 == 0 { scene.custody() } else { scene.elsewhere().custody() };
        tokio::spawn(async move { custody.set_check_value(&[number]).await.unwrap() })
    });
    let values: Vec<Vec<u8>> = join_all(servers).await.into_iter().map(|value| value.unwrap()).collect();
    let counts = scene.custody().check_value().await.unwrap().unwrap();
    assert!(values.iter().all(|value| *value == counts), "{values:?}");
}

pub async fn a_check_value_can_be_replaced(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    scene.custody().set_check_value(b"one").await.unwrap();
    scene.custody().replace_check_value(b"two").await.unwrap();
    assert_eq!(scene.custody().check_value().await.unwrap(), Some(b"two".to_vec()));
    assert_eq!(scene.custody().set_check_value(b"three").await.unwrap(), b"two");
}

pub async fn keys_come_in_the_order_of_agents(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let mut agents = vec![scene.samples.agent(), scene.samples.agent(), scene.samples.agent()];
    agents.reverse();
    for agent in &agents {
        scene.insert(agent).await;
    }
    scene.delete(&agents[1]).await;
    agents.reverse();

    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let batch = scene.custody().agent_keys(after, 2).await.unwrap();
        assert!(batch.len() <= 2);
        let Some((last, _, _)) = batch.last() else { break };
        after = Some(*last);
        seen.extend(batch);
    }
    let expected: Vec<_> = agents.into_iter().map(|agent| (agent.agent.id, workspace(), agent.key)).collect();
    assert_eq!(seen, expected);
}

pub async fn a_key_is_replaced_if_it_is_the_old_one(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let (agent, other) = (scene.add_agent().await, scene.add_agent().await);
    let (id, new) = (agent.agent.id, WrappedKey(b"new".to_vec()));
    assert!(!scene.custody().replace_agent_key(id, &other.key, &new).await.unwrap());
    assert_eq!(scene.found(&agent).await.map(|found| found.key), Some(agent.key.clone()));

    assert!(scene.custody().replace_agent_key(id, &agent.key, &new).await.unwrap());
    assert!(!scene.custody().replace_agent_key(id, &agent.key, &new).await.unwrap());
    assert_eq!(scene.found(&agent).await.map(|found| found.key), Some(new));
    assert_eq!(scene.found(&other).await.map(|found| found.key), Some(other.key));
}

pub async fn a_deleted_agents_key_can_be_replaced(fixture: &dyn Fixture) {
    let scene = Scene::of(fixture);
    let agent = scene.add_agent().await;
    scene.delete(&agent).await;
    let new = WrappedKey(b"new".to_vec());
    assert!(scene.custody().replace_agent_key(agent.agent.id, &agent.key, &new).await.unwrap());
    let keys: Vec<(AgentId, WrappedKey)> =
        scene.custody().agent_keys(None, 10).await.unwrap().into_iter().map(|(id, _, key)| (id, key)).collect();
    assert_eq!(keys, [(agent.agent.id, new)]);
}

#[macro_export]
macro_rules! key_custody_contract {
    ($fixture:expr) => {
        $crate::contract_cases! { $fixture => key_custody:
            the_first_check_value_counts,
            all_servers_agree_on_one_check_value,
            a_check_value_can_be_replaced,
            keys_come_in_the_order_of_agents,
            a_key_is_replaced_if_it_is_the_old_one,
            a_deleted_agents_key_can_be_replaced,
        }
    };
}
