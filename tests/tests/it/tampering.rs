//! Rows changed behind the server's back. What does not open in its place is contained: it is shown, it is not pushed,
//! nothing else suffers, and new credentials heal it.

use std::collections::BTreeMap;

use e2e::{Api, Installation, Runtime, Store, on_both_stores};
use serde_json::json;

use crate::sql::Sql;

on_both_stores!(
    a_changed_secret_is_contained,
    a_broken_data_key_harms_one_agent,
    a_row_under_another_agent_is_not_read
);

/// Where an envelope's key id lies.
const KEY_ID: std::ops::Range<usize> = 2..18;

fn token(case: &str) -> String {
    format!("CANARY-{case}-9d1f6c2e")
}

fn variable(label: &str) -> String {
    format!("ACME_API_TOKEN__{}", label.to_uppercase().replace('-', "_"))
}

/// What each case makes of its own ciphertext, given the one of the row `other` and an older one of itself.
fn tampered(case: &str, own: &[u8], other: &[u8], older: &[u8]) -> Vec<u8> {
    let with = |place: usize, byte: u8| {
        let mut changed = own.to_vec();
        changed[place] = byte;
        changed
    };
    match case {
        "copy" => other.to_vec(),
        "replay" => older.to_vec(),
        "empty" => Vec::new(),
        "trunc-one" => own[..1].to_vec(),
        "trunc-head" => own[..KEY_ID.end].to_vec(),
        "trunc-half" => own[..own.len() / 2].to_vec(),
        "trunc-last" => own[..own.len() - 1].to_vec(),
        "append" => [own, &[0]].concat(),
        "plain" => token(case).into_bytes(),
        "version-0" => with(0, 0),
        "version-255" => with(0, 255),
        "suite" => with(1, 2),
        "other-key" => with(KEY_ID.start, own[KEY_ID.start] ^ 1),
        "flip" => with(own.len() - 20, own[own.len() - 20] ^ 0x80),
        other => panic!("no case {other}"),
    }
}

const CASES: [&str; 14] = [
    "copy",
    "replay",
    "empty",
    "trunc-one",
    "trunc-head",
    "trunc-half",
    "trunc-last",
    "append",
    "plain",
    "version-0",
    "version-255",
    "suite",
    "other-key",
    "flip",
];

async fn a_changed_secret_is_contained(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime, sql) = (installation.api(), Runtime::start().await, Sql::open(&installation));
    let agent = api.register("Tampered", &runtime).await;
    let mut ids = BTreeMap::new();
    for label in CASES.into_iter().chain(["swap-a", "swap-b", "sound"]) {
        ids.insert(label, api.connect_acme(&agent, label, &token(label)).await);
    }
    let secret =
        async |label: &str| sql.blob("secrets", &format!("FROM integrations WHERE id = {}", sql.id(&ids[label]))).await;
    let older = secret("replay").await;
    let path = |label: &str| format!("/api/agents/{agent}/integrations/{}", ids[label]);
    api.patch(&path("replay"), json!({ "token": token("replay") })).await.json(200);
    let (first, second, sound) = (secret("swap-a").await, secret("swap-b").await, secret("sound").await);

    let set = async |label: &str, bytes: &[u8]| {
        let (bytes, id) = (sql.bytes(bytes), sql.id(&ids[label]));
        sql.change(&format!("UPDATE integrations SET secrets = {bytes} WHERE id = {id}")).await;
    };
    for case in CASES {
        let own = secret(case).await;
        set(case, &tampered(case, &own, &sound, &older)).await;
    }
    set("swap-a", &second).await;
    set("swap-b", &first).await;

    api.request_sync(&agent).await;
    let only = BTreeMap::from([(variable("sound"), token("sound"))]);
    runtime.wait_for(&only).await;
    api.wait_in_sync(&agent).await;
    check_shown(&api, &agent).await;
    let log = installation.logs();
    assert!(!log.contains("CANARY-"), "a plaintext in the log");
    assert!(!log.contains(&hex::encode(&sound[20..40])), "a ciphertext in the log");

    let mut healed = only;
    for label in CASES.into_iter().chain(["swap-a", "swap-b"]) {
        let record = api.patch(&path(label), json!({ "token": format!("healed-{label}") })).await.json(200);
        assert_eq!(record["status"], "active", "{label}");
        healed.insert(variable(label), format!("healed-{label}"));
    }
    runtime.wait_for(&healed).await;
    api.wait_in_sync(&agent).await;
}

/// Every connection but the sound one needs its credentials again, says so, and cannot be tested.
async fn check_shown(api: &Api, agent: &str) {
    let list = api.get(&format!("/api/agents/{agent}/integrations")).await;
    for record in list.json(200).as_array().unwrap() {
        let expected = if record["label"] == "sound" { "active" } else { "needs_reconnect" };
        assert_eq!(record["status"], expected, "{record}");
        if expected == "needs_reconnect" {
            let path = format!("/api/agents/{agent}/integrations/{}/test", record["id"].as_str().unwrap());
            let result = api.post(&path, json!({})).await;
            assert_eq!(result.json(200)["success"], false, "{}", result.body);
        }
    }
    assert!(!api.transcript().contains("CANARY-"), "a plaintext in an answer");
    let audit = api.get("/api/audit?limit=200").await.json(200);
    let unreadable = audit.as_array().unwrap().iter().filter(|line| line["action"] == "integration.unreadable").count();
    assert_eq!(unreadable, CASES.len() + 2, "one line for each");
}

async fn a_broken_data_key_harms_one_agent(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, sql) = (installation.api(), Sql::open(&installation));
    let (broken, sound) = (Runtime::start().await, Runtime::start().await);
    let victim = api.register("Broken", &broken).await;
    let other = api.register("Sound", &sound).await;
    api.connect_acme(&victim, "default", "one").await;
    api.connect_acme(&other, "default", "two").await;
    broken.wait_for_env(&[("ACME_API_TOKEN", "one")]).await;
    sound.wait_for_env(&[("ACME_API_TOKEN", "two")]).await;
    api.wait_in_sync(&victim).await;

    let row = format!("WHERE id = {}", sql.id(&victim));
    let mut key = sql.blob("data_key", &format!("FROM agents {row}")).await;
    let last = key.len() - 1;
    key[last] ^= 1;
    sql.change(&format!("UPDATE agents SET data_key = {} {row}", sql.bytes(&key))).await;
    api.request_sync(&victim).await;
    let view = api.wait_failing(&victim, "unreadable").await;
    assert!(view["next_attempt_at"].is_null(), "{view}");
    let path = format!("/api/agents/{victim}/integrations");
    let answer = api.post(&path, json!({ "provider": "acme", "label": "new", "token": "t" })).await;
    assert!(answer.status >= 500, "nothing can be sealed for it: {}", answer.body);
    assert!(!answer.body.contains(&hex::encode(&key[18..30])));

    api.connect_acme(&other, "new", "three").await;
    sound.wait_for_env(&[("ACME_API_TOKEN", "two"), ("ACME_API_TOKEN__NEW", "three")]).await;
    assert_eq!(api.delete(&format!("/api/agents/{victim}")).await.status, 200, "it can still be deleted");
}

async fn a_row_under_another_agent_is_not_read(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, sql) = (installation.api(), Sql::open(&installation));
    let (from, to) = (Runtime::start().await, Runtime::start().await);
    let owner = api.register("Owner", &from).await;
    let thief = api.register("Thief", &to).await;
    let id = api.connect_acme(&owner, "stolen", "the-owners").await;
    api.connect_acme(&thief, "default", "the-thiefs").await;
    api.wait_in_sync(&owner).await;
    api.wait_in_sync(&thief).await;

    let (agent, row) = (sql.id(&thief), sql.id(&id));
    sql.change(&format!("UPDATE integrations SET agent_id = {agent} WHERE id = {row}")).await;
    api.request_sync(&thief).await;
    api.wait_in_sync(&thief).await;
    to.wait_for_env(&[("ACME_API_TOKEN", "the-thiefs")]).await;
    let record = api.get(&format!("/api/agents/{thief}/integrations/{id}")).await.json(200);
    assert_eq!(record["status"], "needs_reconnect", "{record}");
}
