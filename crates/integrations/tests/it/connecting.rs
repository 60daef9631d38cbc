//! Connecting: everything is checked before anything is sealed, and nothing is stored of what is refused.

use std::time::Duration;

use nora_catalog::{Catalog, Violation};
use nora_integrations::{Connect, ConnectError, Integration, Status};
use nora_kernel::audit::{Action, Outcome, Resource, ResourceKind};
use nora_kernel::{AgentId, Clock as _, IdempotentRequest, StoredAnswer};
use nora_testkit::Stores as _;
use nora_testkit::samples::named;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Asked, Health, World, admin, caller, secret};

#[tokio::test]
async fn what_is_secret_is_sealed_and_the_rest_is_shown() {
    let world = World::new();
    let agent = world.agent().await;
    world.wait(1);
    let asked = Asked::github("ghp").with(json!({ "org": "acme", "signing_secret": "hush" }));
    let made = world.connect(agent, asked).await;
    assert_eq!((made.agent, made.provider.as_str(), made.label.as_str()), (agent, "github", "default"));
    assert_eq!(Value::Object(made.config.clone()), json!({ "org": "acme" }));
    assert_eq!((made.created_at, made.updated_at), (world.clock.now(), world.clock.now()));
    assert_eq!((made.readable, made.status(&world.connections.catalog)), (true, Status::Active));

    let stored = world.stored(&made).await;
    assert_eq!((&stored.integration, stored.secrets_version, stored.workspace.as_str()), (&made, 1, "alpha"));
    assert_eq!(world.secrets(&made).await, ["access_token=ghp", "signing_secret=hush"]);
    assert_eq!(world.list(agent).await, [made]);
}

#[tokio::test]
async fn secrets_open_in_their_own_row_only() {
    let world = World::new();
    let agent = world.agent().await;
    let one = world.connect(agent, Asked::github("ghp")).await;
    let other = world.connect(agent, Asked::hub("key")).await;
    let (_, key) = world.connections.store.agent_key(&caller().reach(), agent).await.unwrap().unwrap();
    let mut moved = world.stored(&one).await;
    moved.secrets = world.stored(&other).await.secrets;
    assert!(moved.open(world.vault.as_ref(), &key).await.is_err());
}

#[tokio::test]
async fn a_connection_without_secrets_has_nothing_sealed() {
    let world = World::new();
    let agent = world.agent().await;
    let seals = world.vault.seals();
    let asked = Asked { provider: "feed", ..Asked::github("") }.with(json!({ "feed_url": "https://feed.example" }));
    let made = world.connect(agent, asked).await;
    assert_eq!((world.stored(&made).await.secrets, made.secret_fields.len()), (None, 0));
    assert_eq!(world.vault.seals(), seals);
}

#[tokio::test]
async fn the_line_says_who_connected_it() {
    let world = World::new();
    let agent = world.agent().await;
    let by = admin();
    let made = world.connections.connect(&by, Asked::github("ghp").request(agent)).await.unwrap();
    let line = world.last_line().await;
    assert_eq!((line.action, line.outcome, line.at), (Action::IntegrationCreated, Outcome::Success, world.clock.now()));
    assert_eq!((&line.actor, line.request, line.agent), (&by.actor, Some(by.request), Some(agent)));
    assert_eq!(line.resource, Resource::new(ResourceKind::Integration, made.id));
    assert_eq!((line.workspace.as_str(), line.purpose), ("alpha", None), "the trail of the agent's workspace");
}

#[tokio::test]
async fn a_connection_is_pushed() {
    let world = World::new();
    let agent = world.synced_agent().await;
    world.connect(agent, Asked::github("ghp")).await;
    assert_eq!(world.record(agent).await.desired, 2);
    assert_eq!(world.settle().await.len(), 1);
    assert_eq!(world.env(), ["GITHUB_TOKEN=ghp"]);
}

async fn refusal(world: &World, request: Connect) -> ConnectError {
    let (agent, seals, lines) = (request.agent, world.vault.seals(), world.lines().await.len());
    let refused = world.connections.connect(&caller(), request).await.unwrap_err();
    assert_eq!((world.vault.seals(), world.lines().await.len()), (seals, lines), "{refused}");
    let stored = world.connections.list(&caller(), agent).await.unwrap();
    assert_eq!(stored.unwrap_or_default(), [], "{refused}");
    refused
}

#[tokio::test]
async fn refusals_have_an_order() {
    let world = World::new().disabling(&["hub"]);
    let agent = world.agent().await;
    let nobody = AgentId::from_uuid(Uuid::from_u128(9));
    let wrong = json!({ "made_up": 1 });
    let asked = |agent, provider: Option<&str>, token| Connect {
        provider: provider.map(str::to_owned),
        ..Asked::github(token).with(wrong.clone()).request(agent)
    };

    let refused = refusal(&world, asked(nobody, None, "")).await;
    assert!(matches!(refused, ConnectError::AgentNotFound), "{refused}");
    for provider in [None, Some("")] {
        let refused = refusal(&world, asked(agent, provider, "")).await;
        assert!(matches!(refused, ConnectError::ProviderMissing), "{refused}");
    }
    for provider in ["nope", "GitHub", " github", "../github", "git\0hub"] {
        let refused = refusal(&world, asked(agent, Some(provider), "")).await;
        assert!(matches!(refused, ConnectError::ProviderUnknown), "{provider}: {refused}");
    }
    let refused = refusal(&world, asked(agent, Some("hub"), "")).await;
    assert!(matches!(refused, ConnectError::ProviderDisabled), "{refused}");
    let refused = refusal(&world, asked(agent, Some("github"), "")).await;
    assert!(matches!(refused, ConnectError::TokenMissing), "{refused}");
    let refused = refusal(&world, asked(agent, Some("github"), "ghp")).await;
    assert!(matches!(refused, ConnectError::Invalid(_)), "{refused}");
}

#[tokio::test]
async fn a_missing_token_is_named_as_the_contract_says() {
    let world = World::new();
    let agent = world.agent().await;
    let asked = |provider, config: Value| Asked { provider, ..Asked::github("") }.with(config).request(agent);
    for provider in ["github", "hub"] {
        let refused = refusal(&world, asked(provider, json!({}))).await;
        assert!(matches!(refused, ConnectError::TokenMissing), "{provider}: {refused}");
    }
    let empty = Connect { token: Some(secret("")), ..asked("github", json!({})) };
    assert!(matches!(refusal(&world, empty).await, ConnectError::TokenMissing));

    let ConnectError::Invalid(violations) = refusal(&world, asked("database", json!({ "host": "10.0.0.5" }))).await
    else {
        panic!("a connection string has no token of its own")
    };
    assert_eq!(violations, [Violation { pointer: "/token".to_owned(), detail: "is required".to_owned() }]);
    world
        .try_connect(agent, Asked { provider: "cache", ..Asked::github("") }.with(json!({ "host": "10.0.0.5" })))
        .await
        .unwrap();
}

#[tokio::test]
async fn everything_wrong_has_its_place() {
    let world = World::new();
    let agent = world.agent().await;
    let asked = Asked::github("gh\np").with(json!({ "org": 7, "base_url": "https://127.0.0.1" }));
    let ConnectError::Invalid(violations) = refusal(&world, asked.request(agent)).await else { panic!("it is wrong") };
    let mut pointers: Vec<_> = violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/config/base_url", "/config/org", "/token"]);
}

#[tokio::test]
async fn one_connection_to_a_provider_has_one_label() {
    let world = World::new();
    let agent = world.agent().await;
    let first = world.connect(agent, Asked::github("one")).await;
    let lines = world.lines().await.len();
    match world.try_connect(agent, Asked::github("two")).await {
        Err(ConnectError::Exists(id)) => assert_eq!(id, first.id),
        other => panic!("{other:?}"),
    }
    assert_eq!((world.list(agent).await.len(), world.lines().await.len()), (1, lines));
    world.connect(agent, Asked::github("two").labelled("work")).await;
    world.connect(agent, Asked::hub("three")).await;
    let elsewhere = world.agent_at("http://10.0.0.2:9090").await;
    world.connect(elsewhere, Asked::github("four")).await;
    let labels: Vec<_> =
        world.list(agent).await.into_iter().map(|made| format!("{}/{}", made.provider, made.label)).collect();
    assert_eq!(labels, ["hub/default", "github/work", "github/default"], "newest first");
}

#[tokio::test]
async fn another_workspaces_agent_does_not_exist() {
    let world = World::new();
    let agent = world.agent().await;
    let stranger = nora_kernel::Caller { workspace: named("beta"), ..caller() };
    let refused = world.connections.connect(&stranger, Asked::github("ghp").request(agent)).await.unwrap_err();
    assert!(matches!(refused, ConnectError::AgentNotFound), "{refused}");
    assert_eq!(world.connections.list(&stranger, agent).await.unwrap(), None);
    let made = world.connect(agent, Asked::github("ghp")).await;
    assert_eq!(world.connections.find(&stranger, agent, made.id).await.unwrap(), None);
    assert!(world.connections.find(&admin(), agent, made.id).await.unwrap().is_some());

    world.agents.delete(&caller(), agent).await.unwrap();
    let refused = world.try_connect(agent, Asked::hub("key")).await.unwrap_err();
    assert!(matches!(refused, ConnectError::AgentNotFound), "{refused}");
}

fn answer(integration: &Integration, catalog: &Catalog) -> StoredAnswer {
    let body = format!("{} of {}", integration.status(catalog).as_str(), integration.provider);
    StoredAnswer { status: 201, location: Some(format!("/{}", integration.id)), body }
}

#[tokio::test]
async fn the_answer_is_remembered_in_the_same_transaction() {
    let world = World::new();
    let agent = world.agent().await;
    let asked = IdempotentRequest {
        principal: "api_key:1".to_owned(),
        route: "POST /api/agents/1/integrations".to_owned(),
        key: named("again"),
        body_digest: [7; 32],
    };
    let request = |label| Connect {
        idempotency: Some((asked.clone(), answer)),
        ..Asked::github("ghp").labelled(label).request(agent)
    };
    let made = world.connections.connect(&caller(), request("default")).await.unwrap();
    let now = world.clock.now();
    let kept = world.stores.idempotency().find(&asked.principal, &asked.route, &asked.key, now).await.unwrap().unwrap();
    assert_eq!(kept, asked.clone().answered(answer(&made, &world.connections.catalog), now));
    assert_eq!((kept.answer.body.as_str(), kept.expires_at), ("active of github", now.after(Duration::from_hours(24))));

    let lines = world.lines().await.len();
    let refused = world.connections.connect(&caller(), request("other")).await.unwrap_err();
    assert!(matches!(refused, ConnectError::IdempotencyTaken(_)), "{refused}");
    assert_eq!((world.list(agent).await, world.lines().await.len()), (vec![made], lines));
}

#[tokio::test]
async fn nothing_is_stored_without_the_vault() {
    let world = World::new();
    let agent = world.agent().await;
    world.vault.is(Health::Down);
    let refused = refusal(&world, Asked::github("ghp").request(agent)).await;
    assert!(matches!(refused, ConnectError::Seal(_)), "{refused}");
}
