//! Kind `hermes`.

use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, Health, RuntimeAddress, RuntimeClient as _};
use nora_testkit_runtimes::{Hermes, Journal};

use crate::gateways::{Keeper, secret};
use crate::support::{Book, address, agent, failed, push, runtimes};

const TOKEN: &str = "hermes-session-token";

async fn hermes() -> Hermes {
    Hermes::start(TOKEN, Journal::new()).await
}

fn at(hermes: &Hermes) -> RuntimeAddress {
    RuntimeAddress { kind: RuntimeKind::Hermes, token: secret(TOKEN), ..address(&hermes.url()) }
}

fn lines(hermes: &Hermes) -> Vec<String> {
    hermes.lines().into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[tokio::test]
async fn a_value_is_set_rotated_and_emptied() {
    let hermes = hermes().await;
    let mut keeper = Keeper::of(at(&hermes));
    assert_eq!(keeper.push(&[("LINEAR_API_KEY", "lin_A")]).await, Ok(vec!["LINEAR_API_KEY live".to_owned()]));
    assert_eq!(
        (lines(&hermes), &keeper.pages[..]),
        (vec!["LINEAR_API_KEY=lin_A".to_owned()], &["LINEAR_API_KEY?", "LINEAR_API_KEY"].map(str::to_owned)[..])
    );
    keeper.push(&[("LINEAR_API_KEY", "lin_B")]).await.unwrap();
    assert_eq!(lines(&hermes), ["LINEAR_API_KEY=lin_B"]);
    keeper.push_nothing().await.unwrap();
    // A line that is taken out stays in the environment of a running agent.
    assert_eq!((lines(&hermes), keeper.owned.len()), (vec!["LINEAR_API_KEY=".to_owned()], 0));
}

#[tokio::test]
async fn what_is_there_is_not_written_again() {
    let journal = Journal::new();
    let hermes = Hermes::start(TOKEN, journal.clone()).await;
    let mut keeper = Keeper::of(at(&hermes));
    keeper.push(&[("A", "a"), ("B", "b")]).await.unwrap();
    assert_eq!(journal.take(), ["hermes: +A", "hermes: +B"]);
    keeper.push(&[("A", "a"), ("B", "b2")]).await.unwrap();
    assert_eq!(journal.take(), ["hermes: +B"]);
}

#[tokio::test]
async fn names_of_others_are_left_alone() {
    let hermes = hermes().await;
    hermes.write("LINEAR_API_KEY", "theirs");
    hermes.write("OTHER", "theirs");
    let mut keeper = Keeper::of(at(&hermes));
    let states = keeper.push(&[("LINEAR_API_KEY", "ours"), ("A", "a")]).await.unwrap();
    assert_eq!(states, ["A live", "LINEAR_API_KEY conflict"]);
    keeper.push_nothing().await.unwrap();
    assert_eq!(lines(&hermes), ["A=", "LINEAR_API_KEY=theirs", "OTHER=theirs"]);
}

#[tokio::test]
async fn what_hermes_would_change_or_keep_is_not_sent() {
    let hermes = hermes().await;
    let mut keeper = Keeper::of(at(&hermes));
    let env = [("A", "a\nb"), ("B", "\u{e9}"), ("C", " c"), ("GITHUB_TOKEN", "ghp"), ("GIT_SHELL", "sh"), ("D", "d")];
    let states = keeper.push(&env).await.unwrap();
    let expected =
        ["A unsupported", "B unsupported", "C unsupported", "D live", "GITHUB_TOKEN unsupported", "GIT_SHELL failed"];
    assert_eq!((states, lines(&hermes)), (expected.map(str::to_owned).to_vec(), vec!["D=d".to_owned()]));
}

#[tokio::test]
async fn a_check_finds_what_is_gone() {
    let hermes = hermes().await;
    let mut keeper = Keeper::of(at(&hermes));
    keeper.push(&[("A", "a")]).await.unwrap();
    let client = runtimes();
    assert_eq!(client.health(&keeper.address, &keeper.owned).await, Ok(None));
    hermes.write("A", "");
    let lost = Health { agent: Some(agent()), generation: None };
    assert_eq!(client.health(&keeper.address, &keeper.owned).await, Ok(Some(lost)));
}

#[tokio::test]
async fn a_wrong_token_is_an_end() {
    let hermes = hermes().await;
    let wrong = RuntimeAddress { token: secret("wrong"), ..at(&hermes) };
    let refused = runtimes().apply(&wrong, &push(1, &[]), &Book::default()).await;
    assert_eq!(refused, Err(failed(FailureClass::Auth)));
}
