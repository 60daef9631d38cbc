//! Kind `openclaw`: what reaches a gateway, in which order, and what is left alone.

use std::collections::BTreeMap;

use nora_integrations::ports::{FailureClass, Health, Push, RuntimeClient as _};
use nora_testkit_runtimes::{Gateway, GatewaySettings, Journal, Sidecar};

use crate::gateways::{Keeper, address, beside, gateway, paired};
use crate::support::{Book, agent, failed, push, runtimes};

fn env(gateway: &Gateway) -> Vec<String> {
    gateway.environment().into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[tokio::test]
async fn a_value_is_set_rotated_and_deleted() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    assert_eq!(keeper.push(&[("LINEAR_API_KEY", "lin_A")]).await, Ok(vec!["LINEAR_API_KEY live".to_owned()]));
    assert_eq!(
        (env(&gateway), &keeper.pages),
        (vec!["LINEAR_API_KEY=lin_A".to_owned()], &pages(&["LINEAR_API_KEY?", "LINEAR_API_KEY"]))
    );
    keeper.push(&[("LINEAR_API_KEY", "lin_B")]).await.unwrap();
    assert_eq!(env(&gateway), ["LINEAR_API_KEY=lin_B"]);
    assert_eq!(keeper.push_nothing().await, Ok(Vec::new()));
    assert_eq!((env(&gateway), &keeper.pages), (Vec::new(), &pages(&["LINEAR_API_KEY", ""])[1..].to_vec()));
    assert_eq!(gateway.connections(), 3);
}

fn pages(pages: &[&str]) -> Vec<String> {
    pages.iter().map(|page| (*page).to_owned()).collect()
}

#[tokio::test]
async fn what_is_there_is_not_written_again() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    let env = [("A", "a\n-----\n"), ("B", "b")];
    keeper.push(&env).await.unwrap();
    gateway.calls();
    assert_eq!(keeper.push(&env).await, Ok(vec!["A live".to_owned(), "B live".to_owned()]));
    assert_eq!((gateway.calls(), keeper.pages.len()), (vec!["secrets.store.list".to_owned()], 0));
    keeper.push(&[("A", "a\n-----\n"), ("B", "b2")]).await.unwrap();
    assert_eq!(gateway.calls(), ["secrets.store.list", "secrets.store.set", "secrets.store.list"]);
}

#[tokio::test]
async fn names_of_others_are_left_alone() {
    let gateway = gateway(paired()).await;
    gateway.write("LINEAR_API_KEY", "theirs");
    gateway.write("OTHER", "theirs");
    let mut keeper = Keeper::of(address(&gateway));
    let states = keeper.push(&[("LINEAR_API_KEY", "ours"), ("NOTION_TOKEN", "n")]).await.unwrap();
    assert_eq!(states, ["LINEAR_API_KEY conflict", "NOTION_TOKEN live"]);
    assert_eq!(env(&gateway), ["LINEAR_API_KEY=theirs", "NOTION_TOKEN=n", "OTHER=theirs"]);
    keeper.push_nothing().await.unwrap();
    assert_eq!(env(&gateway), ["LINEAR_API_KEY=theirs", "OTHER=theirs"]);
}

#[tokio::test]
async fn what_somebody_took_over_is_theirs() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    keeper.push(&[("LINEAR_API_KEY", "ours")]).await.unwrap();
    gateway.write("LINEAR_API_KEY", "theirs");
    assert_eq!(keeper.push(&[("LINEAR_API_KEY", "ours")]).await, Ok(vec!["LINEAR_API_KEY conflict".to_owned()]));
    keeper.push_nothing().await.unwrap();
    assert_eq!(env(&gateway), ["LINEAR_API_KEY=theirs"]);
}

#[tokio::test]
async fn a_push_that_died_half_way_is_finished_or_undone() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    gateway.restarts_after(2);
    assert_eq!(keeper.push(&[("A", "a"), ("B", "b")]).await, Err(failed(FailureClass::Refused)));
    assert_eq!((env(&gateway), &keeper.pages), (vec!["A=a".to_owned()], &pages(&["A? B?"])));
    let mut other = Keeper { owned: keeper.owned.clone(), ..Keeper::of(address(&gateway)) };
    keeper.push(&[("A", "a"), ("B", "b")]).await.unwrap();
    assert_eq!(env(&gateway), ["A=a", "B=b"]);
    other.push_nothing().await.unwrap();
    assert!(env(&gateway).is_empty(), "what may have been written is deleted too");
}

#[tokio::test]
async fn nothing_is_written_that_is_not_written_down_first() {
    let gateway = gateway(paired()).await;
    let applied = runtimes().apply(&address(&gateway), &push(1, &[("A", "a")]), &Book::closed()).await;
    assert_eq!((applied, env(&gateway).len()), (Err(failed(FailureClass::Internal)), 0));
}

#[tokio::test]
async fn values_come_before_metadata_and_go_after_it() {
    let journal = Journal::new();
    let gateway = Gateway::start(paired(), journal.clone()).await;
    let sidecar = Sidecar::start(journal.clone()).await;
    let mut keeper = Keeper::of(beside(&gateway, &sidecar));
    keeper.push(&[("SLACK_BOT_TOKEN", "xoxb-1")]).await.unwrap();
    assert_eq!(journal.take(), ["gateway: +SLACK_BOT_TOKEN", "sidecar: slack"]);
    keeper.push_nothing().await.unwrap();
    assert_eq!(journal.take(), ["sidecar: ", "gateway: -SLACK_BOT_TOKEN"]);
    assert!(sidecar.integrations().is_empty());
}

#[tokio::test]
async fn protected_names_wait_for_a_deployment() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    let states = keeper.push(&[("GITHUB_TOKEN", "ghp"), ("LINEAR_API_KEY", "lin")]).await.unwrap();
    assert_eq!(states, ["GITHUB_TOKEN pending_redeploy", "LINEAR_API_KEY live"]);
    assert_eq!(gateway.entries(), ["LINEAR_API_KEY env nora-rs"]);
}

fn bound(value: &str) -> Push {
    let hosts = BTreeMap::from([("GITHUB_TOKEN".parse().unwrap(), vec!["api.github.com".to_owned()])]);
    Push { header_hosts: hosts, ..push(1, &[("AWS_SECRET_ACCESS_KEY", "aws"), ("GITHUB_TOKEN", value)]) }
}

#[tokio::test]
async fn an_egress_proxy_stands_in_for_what_travels_in_headers() {
    let gateway = gateway(GatewaySettings { egress_proxy: true, ..paired() }).await;
    let mut keeper = Keeper::of(address(&gateway));
    let states = keeper.apply(bound("ghp_1")).await.unwrap();
    assert_eq!(states, ["AWS_SECRET_ACCESS_KEY pending_redeploy", "GITHUB_TOKEN live"]);
    assert_eq!(gateway.entries(), ["GITHUB_TOKEN secret:api.github.com nora-rs"]);
    gateway.calls();
    keeper.apply(Push { owned: keeper.owned.clone(), ..bound("ghp_1") }).await.unwrap();
    assert_eq!(gateway.calls(), ["config.get", "secrets.store.list"]);
    keeper.apply(Push { owned: keeper.owned.clone(), ..bound("ghp_2") }).await.unwrap();
    assert!(gateway.calls().contains(&"secrets.store.set".to_owned()));
}

#[tokio::test]
async fn a_gateway_without_a_store_takes_values_with_a_deployment() {
    for (protocol, store) in [(3, false), (4, false)] {
        let gateway = gateway(GatewaySettings { protocol, store, ..paired() }).await;
        let mut keeper = Keeper::of(address(&gateway));
        assert_eq!(keeper.push(&[("A", "a")]).await, Ok(vec!["A pending_redeploy".to_owned()]));
        assert!(gateway.calls().is_empty());
        keeper.owned = vec![nora_integrations::ports::OwnedVariable::intended("B".parse().unwrap())];
        assert_eq!(keeper.push_nothing().await, Err(failed(FailureClass::UnsupportedRuntime)));
    }
}

#[tokio::test]
async fn a_refused_variable_does_not_hold_up_the_others() {
    let gateway = gateway(paired()).await;
    let hosts = BTreeMap::from([("EMPTY".parse().unwrap(), vec!["api.example.com".to_owned()])]);
    let push = Push { header_hosts: hosts, ..push(1, &[("B", "b"), ("EMPTY", "")]) };
    let mut keeper = Keeper::of(address(&gateway));
    keeper.apply(push).await.unwrap();
    let proxied = crate::gateways::gateway(GatewaySettings { egress_proxy: true, ..paired() }).await;
    let hosts = BTreeMap::from([("EMPTY".parse().unwrap(), vec!["api.example.com".to_owned()])]);
    let mut keeper = Keeper::of(address(&proxied));
    let states =
        keeper.apply(Push { header_hosts: hosts, ..crate::support::push(1, &[("B", "b"), ("EMPTY", "")]) }).await;
    assert_eq!(states, Ok(vec!["B live".to_owned(), "EMPTY failed".to_owned()]));
    assert_eq!(proxied.entries(), ["B env nora-rs"]);
}

#[tokio::test]
async fn a_large_value_is_not_sent() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    let large = "x".repeat(65_537);
    assert_eq!(keeper.push(&[("A", &large)]).await, Ok(vec!["A unsupported".to_owned()]));
}

#[tokio::test]
async fn more_than_a_minutes_writes_go_on_later() {
    let gateway = gateway(paired()).await;
    let names: Vec<String> = (0..40).map(|number| format!("A{number:02}")).collect();
    let env: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
    let mut keeper = Keeper::of(address(&gateway));
    let refused = keeper.push(&env).await.unwrap_err();
    let nora_integrations::ports::PushError::Failed { class, retry_after } = refused else { panic!("{refused}") };
    assert!(class == FailureClass::RateLimited && retry_after.is_some_and(|wait| wait.as_secs() <= 60), "{refused:?}");
    assert_eq!(env_len(&gateway), 30);
    gateway.lets_a_minute_pass();
    assert_eq!(keeper.push(&env).await.unwrap().len(), 40);
    assert_eq!(env_len(&gateway), 40);
}

#[tokio::test]
async fn writes_that_cannot_be_read_back_go_on_later_too() {
    let gateway = gateway(GatewaySettings { egress_proxy: true, writes_per_minute: 3, ..paired() }).await;
    let names: Vec<String> = (0..7).map(|number| format!("A{number}")).collect();
    let env: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
    let hosts = || names.iter().map(|name| (name.parse().unwrap(), vec!["api.example.com".to_owned()])).collect();
    let mut keeper = Keeper::of(address(&gateway));
    for written in [3, 6] {
        let pushed = keeper.apply(Push { header_hosts: hosts(), owned: keeper.owned.clone(), ..push(1, &env) }).await;
        assert_eq!((pushed.is_err(), gateway.entries().len()), (true, written));
        gateway.lets_a_minute_pass();
    }
    let pushed = keeper.apply(Push { header_hosts: hosts(), owned: keeper.owned.clone(), ..push(1, &env) }).await;
    assert_eq!((pushed.unwrap().len(), gateway.entries().len()), (7, 7));
}

fn env_len(gateway: &Gateway) -> usize {
    gateway.environment().len()
}

#[tokio::test]
async fn a_check_finds_what_is_gone_or_changed() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    let client = runtimes();
    assert_eq!((client.health(&keeper.address, &[]).await, gateway.connections()), (Ok(None), 0));
    keeper.push(&[("A", "a"), ("B", "b")]).await.unwrap();
    assert_eq!(client.health(&keeper.address, &keeper.owned).await, Ok(None));
    gateway.write("OTHER", "theirs");
    assert_eq!(client.health(&keeper.address, &keeper.owned).await, Ok(None));
    gateway.delete("A");
    let lost = Health { agent: Some(agent()), generation: None };
    assert_eq!(client.health(&keeper.address, &keeper.owned).await, Ok(Some(lost)));
    keeper.push(&[("A", "a"), ("B", "b")]).await.unwrap();
    gateway.write("B", "theirs");
    assert_eq!(client.health(&keeper.address, &keeper.owned).await, Ok(Some(lost)));
}

#[tokio::test]
async fn a_sidecar_with_a_gateway_gets_both() {
    let gateway = gateway(paired()).await;
    let sidecar = Sidecar::start(Journal::new()).await;
    let mut keeper = Keeper::of(beside(&gateway, &sidecar));
    keeper.address.kind = nora_agents::RuntimeKind::Sidecar;
    assert_eq!(keeper.push(&[("A", "a")]).await, Ok(vec!["A live".to_owned()]));
    assert_eq!((env(&gateway), sidecar.integrations().len()), (vec!["A=a".to_owned()], 1));
}

#[tokio::test]
async fn no_frame_but_the_write_holds_a_value() {
    let gateway = gateway(paired()).await;
    let mut keeper = Keeper::of(address(&gateway));
    keeper.push(&[("A", "unmistakable")]).await.unwrap();
    keeper.push_nothing().await.unwrap();
    let holding: Vec<String> = gateway.frames().into_iter().filter(|frame| frame.contains("unmistakable")).collect();
    assert!(holding.len() == 1 && holding[0].contains("secrets.store.set"), "{holding:?}");
}
