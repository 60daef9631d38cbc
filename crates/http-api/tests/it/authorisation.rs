//! Who may do what: every route, the OpenAPI document and this table say the same.

use std::collections::BTreeSet;

use actix_web::test::TestRequest;
use nora_http_api::openapi_json;
use nora_kernel::Scope::{
    self, AgentsRead, AgentsWrite, AuditRead, ChannelsRead, ChannelsWrite, IntegrationsRead, IntegrationsWrite,
    KeysRead, KeysWrite,
};
use serde_json::Value;

use crate::support::{Bench, request, with_token};

/// Who may call a route.
#[derive(Debug, Clone, Copy)]
enum Access {
    /// Anybody, without a token.
    Public,
    /// Whoever holds all of these; with none of them, any valid token.
    Token(&'static [Scope]),
}

use Access::{Public, Token};

/// Every route there is. A route that is missing here fails the first test below.
const TABLE: [(&str, &str, Access); 44] = [
    ("GET", "/api/integrations/catalog", Token(&[])),
    ("GET", "/api/integrations/catalog/{catalogId}", Token(&[])),
    ("GET", "/api/agents", Token(&[AgentsRead])),
    ("POST", "/api/agents", Token(&[AgentsWrite, IntegrationsWrite])),
    ("GET", "/api/agents/{id}", Token(&[AgentsRead])),
    ("PATCH", "/api/agents/{id}", Token(&[AgentsWrite])),
    ("DELETE", "/api/agents/{id}", Token(&[AgentsWrite])),
    ("GET", "/api/agents/{id}/device-key", Token(&[AgentsRead])),
    ("GET", "/api/agents/{id}/sync", Token(&[AgentsRead])),
    ("POST", "/api/agents/{id}/sync", Token(&[AgentsWrite])),
    ("GET", "/api/agents/{id}/deployment", Token(&[AgentsRead])),
    ("POST", "/api/agents/{id}/redeploy", Token(&[AgentsWrite])),
    ("GET", "/api/agents/{id}/mcp-servers", Token(&[IntegrationsRead])),
    ("PUT", "/api/agents/{id}/mcp-servers", Token(&[IntegrationsWrite])),
    ("GET", "/api/agents/{id}/integrations", Token(&[IntegrationsRead])),
    ("POST", "/api/agents/{id}/integrations", Token(&[IntegrationsWrite])),
    ("POST", "/api/agents/{id}/integrations/test", Token(&[IntegrationsWrite])),
    ("GET", "/api/agents/{id}/integrations/{iid}", Token(&[IntegrationsRead])),
    ("PATCH", "/api/agents/{id}/integrations/{iid}", Token(&[IntegrationsWrite])),
    ("DELETE", "/api/agents/{id}/integrations/{iid}", Token(&[IntegrationsWrite])),
    ("POST", "/api/agents/{id}/integrations/{iid}/test", Token(&[IntegrationsWrite])),
    ("GET", "/api/channel-types", Token(&[])),
    ("GET", "/api/agents/{id}/channels", Token(&[ChannelsRead])),
    ("POST", "/api/agents/{id}/channels", Token(&[ChannelsWrite])),
    ("GET", "/api/agents/{id}/channels/{cid}", Token(&[ChannelsRead])),
    ("PATCH", "/api/agents/{id}/channels/{cid}", Token(&[ChannelsWrite])),
    ("DELETE", "/api/agents/{id}/channels/{cid}", Token(&[ChannelsWrite])),
    ("POST", "/api/agents/{id}/channels/{cid}/secrets", Token(&[ChannelsWrite])),
    ("GET", "/api/agents/{id}/channels/{cid}/events", Token(&[ChannelsRead])),
    ("GET", "/api/agents/{id}/channels/{cid}/events/{eid}", Token(&[ChannelsRead])),
    ("POST", "/api/agents/{id}/channels/{cid}/events/{eid}/replay", Token(&[ChannelsWrite])),
    ("POST", "/api/agents/{id}/channels/{cid}/replays", Token(&[ChannelsWrite])),
    ("GET", "/api/webhooks/{channelId}", Public),
    ("POST", "/api/webhooks/{channelId}", Public),
    ("GET", "/api/keys", Token(&[KeysRead])),
    ("POST", "/api/keys", Token(&[KeysWrite])),
    ("DELETE", "/api/keys/{id}", Token(&[KeysWrite])),
    ("GET", "/api/audit", Token(&[AuditRead])),
    ("GET", "/health/live", Public),
    ("GET", "/health/ready", Public),
    ("GET", "/api/openapi.json", Public),
    ("GET", "/docs", Public),
    ("GET", "/docs/scalar.js", Public),
    // Not a route: a path that is none is nobody's secret either.
    ("GET", "/api/nowhere", Public),
];

fn routes() -> impl Iterator<Item = (&'static str, &'static str, Access)> {
    TABLE.into_iter().filter(|(_, path, _)| *path != "/api/nowhere")
}

fn filled(path: &str) -> String {
    let id = "00000000-0000-7000-8000-000000000000";
    ["{id}", "{iid}", "{cid}", "{eid}", "{channelId}"]
        .into_iter()
        .fold(path.replace("{catalogId}", "nothing"), |path, name| path.replace(name, id))
}

/// The operations of the document with the scopes they name; `None` for those without security.
fn documented() -> Vec<(String, String, Option<Vec<String>>)> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let operations = paths.into_iter().flat_map(|(path, item)| {
        let item = item.as_object().unwrap().clone();
        item.into_iter().map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    operations.map(|(method, path, operation)| (method, path, scopes(&operation))).collect()
}

fn scopes(operation: &Value) -> Option<Vec<String>> {
    let security = operation.get("security")?.as_array().unwrap();
    assert_eq!(security.len(), 1, "{operation:#}");
    let scopes = security[0]["bearer"].as_array().unwrap();
    assert_eq!(operation["x-scopes"].as_array().unwrap(), scopes);
    Some(scopes.iter().map(|scope| scope.as_str().unwrap().to_owned()).collect())
}

#[test]
fn the_table_and_the_document_name_the_same_routes_and_scopes() {
    let expected: BTreeSet<_> = routes()
        .map(|(method, path, access)| {
            let scopes = match access {
                Public => None,
                Token(scopes) => Some(scopes.iter().map(ToString::to_string).collect::<Vec<_>>()),
            };
            (method.to_owned(), path.to_owned(), scopes)
        })
        .collect();
    assert_eq!(documented().into_iter().collect::<BTreeSet<_>>(), expected);
}

#[actix_web::test]
async fn nothing_is_answered_without_a_token() {
    let bench = Bench::start();
    for (method, path, access) in TABLE {
        let answer = bench.send(request(method, &filled(path))).await;
        match access {
            Public => assert_ne!(answer.status, 401, "{method} {path}: {answer:?}"),
            Token(_) => {
                assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()), "{method} {path}");
                assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            }
        }
    }
}

/// No path exists and no body is sent: whoever is not allowed learns neither.
#[actix_web::test]
async fn each_missing_scope_is_named_before_anything_else_is_looked_at() {
    let bench = Bench::start();
    for (method, path, access) in routes() {
        let Token(needed) = access else { continue };
        for missing in needed {
            let others: Vec<Scope> =
                Scope::ALL.iter().copied().filter(|scope| scope != missing && *scope != Scope::Admin).collect();
            let token = bench.token(&others).await;
            let answer = bench.send(with_token(request(method, &filled(path)), &token)).await;
            assert_eq!(answer.problem(), (403, "scope_missing".to_owned()), "{method} {path}");
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(missing.as_str()), "{method} {path}: {detail}");
        }
    }
}

#[actix_web::test]
async fn the_scopes_of_the_table_are_enough_and_so_is_admin() {
    let bench = Bench::start();
    for (method, path, access) in routes() {
        let Token(needed) = access else { continue };
        for scopes in [needed, &[Scope::Admin]] {
            let token = bench.token(scopes).await;
            let answer = bench.send(with_token(request(method, &filled(path)), &token)).await;
            assert!(![401, 403, 405].contains(&answer.status), "{method} {path} with {scopes:?}: {answer:?}");
        }
    }
}

#[actix_web::test]
async fn moving_credentials_needs_a_scope_that_only_the_body_tells() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let writer = bench.token(&[AgentsWrite]).await;
    let named = bench.patch(&writer, &agent, &serde_json::json!({ "name": "Renamed" })).await;
    assert_eq!((named.status, named.json()["name"].as_str()), (200, Some("Renamed")));
    for body in [
        serde_json::json!({ "runtime": { "url": "http://10.0.0.9:9090", "token": "T" } }),
        serde_json::json!({ "runtime": {} }),
        serde_json::json!({ "gateway": null }),
    ] {
        let answer = bench.patch(&writer, &agent, &body).await;
        assert_eq!(answer.problem(), (403, "scope_missing".to_owned()), "{body}");
        assert!(answer.text().contains("integrations:write"));
    }
}

#[actix_web::test]
async fn a_token_counts_in_the_header_alone() {
    let bench = Bench::start();
    let token = bench.admin().await;
    let requests = [
        request("GET", &format!("/api/agents?token={token}&access_token={token}")),
        request("GET", "/api/agents").insert_header(("Cookie", format!("token={token}; Authorization=Bearer {token}"))),
        TestRequest::post().uri("/api/agents").set_json(serde_json::json!({ "token": token })),
        request("GET", "/api/agents").insert_header(("X-Api-Key", token.clone())),
    ];
    for request in requests {
        let answer = bench.send(request).await;
        assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()));
        assert!(!answer.text().contains(&token));
    }
}
