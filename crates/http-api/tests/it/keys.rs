//! API keys.

use nora_kernel::Scope;
use serde_json::json;

use crate::support::Bench;

#[actix_web::test]
async fn a_key_is_shown_once_works_and_is_revoked() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let body = json!({ "name": "CI", "scopes": ["agents:read", "keys:read"], "expires_at": "2027-01-01T00:00:00Z" });
    let created = bench.post(&admin, "/api/keys", &body).await;
    assert_eq!((created.status, created.header("cache-control")), (201, Some("no-store")));
    let made = created.json();
    let key = made["key"].as_str().unwrap().to_owned();
    assert_eq!(made["scopes"], json!(["agents:read", "keys:read"]));
    assert_eq!((&made["workspace"], &made["expires_at"]), (&json!("default"), &json!("2027-01-01T00:00:00.000000Z")));

    assert_eq!(bench.get(&key, "/api/agents").await.status, 200);
    let listed = bench.get(&key, "/api/keys").await;
    let secret = key.rsplit_once('_').unwrap().1;
    assert!(!listed.text().contains(secret));
    let mine = listed.json().as_array().unwrap().iter().find(|record| record["id"] == made["id"]).unwrap().clone();
    assert_eq!((&mine["name"], &mine["public_id"]), (&json!("CI"), &made["public_id"]));
    assert!(key.contains(made["public_id"].as_str().unwrap()));

    let path = format!("/api/keys/{}", made["id"].as_str().unwrap());
    assert_eq!(bench.delete(&admin, &path).await.json(), json!({ "success": true }));
    assert_eq!(bench.get(&key, "/api/agents").await.status, 401);
    assert_eq!(bench.delete(&admin, &path).await.problem(), (404, "key_not_found".to_owned()));
}

#[actix_web::test]
async fn a_key_can_do_no_more_than_its_maker() {
    let bench = Bench::start();
    let maker = bench.token(&[Scope::KeysWrite, Scope::AgentsRead]).await;
    for scope in ["agents:write", "admin"] {
        let answer = bench.post(&maker, "/api/keys", &json!({ "name": "x", "scopes": ["agents:read", scope] })).await;
        assert_eq!(answer.problem(), (403, "scope_missing".to_owned()), "{scope}");
        assert!(answer.text().contains(scope));
    }
    let elsewhere = json!({ "name": "x", "scopes": ["agents:read"], "workspace": "elsewhere" });
    assert_eq!(bench.post(&maker, "/api/keys", &elsewhere).await.problem(), (403, "workspace_forbidden".to_owned()));
    let (stronger, _) = bench.add_key("default", [Scope::AuditRead].into_iter().collect(), None).await;
    let answer = bench.delete(&maker, &format!("/api/keys/{stronger}")).await;
    assert_eq!(answer.problem(), (403, "scope_missing".to_owned()));
    let (foreign, _) = bench.add_key("elsewhere", [Scope::AgentsRead].into_iter().collect(), None).await;
    let answer = bench.delete(&maker, &format!("/api/keys/{foreign}")).await;
    assert_eq!(answer.problem(), (404, "key_not_found".to_owned()));
}

#[actix_web::test]
async fn a_key_needs_a_name_a_scope_and_a_future() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    for (body, pointer) in [
        (json!({ "scopes": ["admin"] }), "/name"),
        (json!({ "name": "x" }), "/scopes"),
        (json!({ "name": "x", "scopes": [] }), "/scopes"),
        (json!({ "name": "x", "scopes": "admin" }), "/scopes"),
        (json!({ "name": "x", "scopes": ["root"] }), "/scopes/0"),
        (json!({ "name": "x", "scopes": ["admin"], "expires_at": "2020-01-01T00:00:00Z" }), "/expires_at"),
        (json!({ "name": "x", "scopes": ["admin"], "workspace": "No Slug" }), "/workspace"),
    ] {
        let answer = bench.post(&admin, "/api/keys", &body).await;
        assert_eq!(answer.problem(), (400, "body_invalid".to_owned()), "{body}");
        assert_eq!(answer.pointers(), [pointer], "{body}");
    }
}
