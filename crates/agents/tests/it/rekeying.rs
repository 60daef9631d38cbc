//! The same place with other credentials.

use nora_agents::ports::TargetUpdate;
use nora_agents::{Agent, ChangeAgent, ChangeAgentError, GatewayChange, Patch, RuntimeChange, RuntimeKind};
use nora_kernel::OpenError;

use crate::support::{Directory, Health, gateway, openclaw, request, runtime, secret};

fn runtime_with(url: Option<&str>, token: Option<&str>) -> ChangeAgent {
    let url = url.map_or(Patch::Keep, |url| Patch::Set(url.to_owned()));
    let runtime = RuntimeChange { url, token: token.map(secret), ..RuntimeChange::default() };
    ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() }
}

#[tokio::test]
async fn a_new_token_keeps_the_target_and_counts_its_version() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let old = directory.store.stored(agent.id).target;
    for (version, token) in [(2, "second"), (3, "third")] {
        directory.change(agent.id, runtime_with(None, Some(token))).await.unwrap();
        let TargetUpdate::Rekey(target) = directory.store.last_target() else { panic!("it lives where it lived") };
        assert_eq!((target.id, target.secrets_version), (old.id, version));
        assert_eq!((target.url, target.kind), (old.url.clone(), old.kind));
        assert_eq!(directory.exposed(agent.id).await[0].as_deref(), Some(token));
    }
}

#[tokio::test]
async fn the_same_address_in_other_words_is_no_move() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    for url in ["http://10.0.0.1:9090", "HTTP://10.0.0.1:9090/", "http://0x0a.0.0.1:09090", "http://10.1:9090/x/.."] {
        let changed = directory.change(agent.id, runtime_with(Some(url), None)).await.unwrap();
        assert_eq!(changed.runtime, agent.runtime, "{url}");
        assert!(matches!(directory.store.last_target(), TargetUpdate::Rekey(_)), "{url}");
        assert_eq!(directory.exposed(agent.id).await[0].as_deref(), Some("old"), "{url}");
    }
}

#[tokio::test]
async fn the_same_kind_is_no_move() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let runtime = RuntimeChange { kind: Some(RuntimeKind::Nora), ..RuntimeChange::default() };
    directory.change(agent.id, ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() }).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Rekey(_)));
}

#[tokio::test]
async fn credentials_that_do_not_open_are_replaced_by_sending_them_all() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    directory.is(Health::Forgetful);
    let refused = directory.change(agent.id, runtime_with(Some("http://10.0.0.1:9090"), None)).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::Unreadable(_)), "{refused}");
    assert!(directory.store.updates.lock().unwrap().is_empty());

    directory.change(agent.id, runtime_with(None, Some("again"))).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Rekey(_)));
    directory.is(Health::Good);
    assert_eq!(directory.exposed(agent.id).await, [Some("again".to_owned()), None, None]);
}

#[tokio::test]
async fn a_gateways_credentials_are_replaced_too() {
    let directory = Directory::new();
    let token = || GatewayChange { token: Some(secret("again")), ..GatewayChange::default() };
    let only_gateway = |agent: &Agent| {
        let change = ChangeAgent { gateway: Patch::Set(token()), ..ChangeAgent::default() };
        directory.change(agent.id, change)
    };
    let openclaw = directory.create(openclaw("ws://10.0.0.1:18789")).await.unwrap();
    let hermes = request(
        runtime(RuntimeKind::Hermes, Some("http://10.0.0.2:9090"), Some("hush")),
        Some(gateway("ws://10.0.0.2:18789", "shared")),
    );
    let hermes = directory.create(hermes).await.unwrap();

    directory.is(Health::Forgetful);
    only_gateway(&openclaw).await.unwrap();
    let refused = only_gateway(&hermes).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::Unreadable(_)), "its own token is missing: {refused}");
    let refused = directory.change(hermes.id, runtime_with(None, Some("again"))).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::Unreadable(_)), "its gateway's token is missing: {refused}");
    directory.is(Health::Good);
    assert_eq!(directory.exposed(openclaw.id).await[1].as_deref(), Some("again"));
    assert_eq!(directory.exposed(hermes.id).await[0].as_deref(), Some("hush"));
}

#[tokio::test]
async fn a_vault_that_does_not_answer_loses_nothing() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    directory.is(Health::Down);
    let refused = directory.change(agent.id, runtime_with(None, Some("new"))).await.unwrap_err();
    let ChangeAgentError::Unreadable(nora_agents::TargetSecretsError::Open(OpenError::Unavailable(_))) = refused else {
        panic!("{refused}")
    };
    directory.is(Health::Good);
    assert_eq!(directory.exposed(agent.id).await[0].as_deref(), Some("old"));
}
