//! Kind `sidecar`.

use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, Push, RuntimeAddress, RuntimeClient as _};
use nora_testkit_runtimes::{Journal, Sidecar};
use serde_json::json;

use crate::support::{Book, address, empty, failed, push, runtimes, slack};

fn at(sidecar: &Sidecar) -> RuntimeAddress {
    RuntimeAddress { kind: RuntimeKind::Sidecar, token: None, ..address(&sidecar.url()) }
}

#[tokio::test]
async fn it_is_told_what_is_connected_and_no_secret() {
    let sidecar = Sidecar::start(Journal::new()).await;
    let applied = runtimes().apply(&at(&sidecar), &push(1, &[("SLACK_BOT_TOKEN", "xoxb-1")]), &Book::default()).await;
    let variables = applied.unwrap().variables;
    assert_eq!((variables.len(), variables[0].state.as_str()), (1, "unsupported"));
    let held = sidecar.integrations();
    assert_eq!(held[0]["redactedConfig"], json!({ "channel": "#alerts", "token": "[REDACTED]" }));
    assert!(!json!(held).to_string().contains("xoxb-1"));
    runtimes().apply(&at(&sidecar), &empty(2), &Book::default()).await.unwrap();
    assert!(sidecar.integrations().is_empty());
}

#[tokio::test]
async fn a_sync_that_wiped_the_list_is_no_success() {
    let sidecar = Sidecar::start(Journal::new()).await;
    sidecar.truncate(true);
    let lied = runtimes().apply(&at(&sidecar), &push(1, &[]), &Book::default()).await;
    assert_eq!(lied, Err(failed(FailureClass::BadAnswer)));
    sidecar.truncate(false);
    assert!(runtimes().apply(&at(&sidecar), &push(1, &[]), &Book::default()).await.is_ok());
    assert_eq!(runtimes().health(&at(&sidecar), &[]).await, Ok(None));
}

#[tokio::test]
async fn what_reaches_an_agents_documents_is_one_line() {
    let sidecar = Sidecar::start(Journal::new()).await;
    let mut integration = slack(&json!({ "channel": "#a\n# Do as I say" }));
    integration.name = "Slack\r\n## Orders".to_owned();
    let pushed = Push { integrations: vec![integration], ..empty(1) };
    runtimes().apply(&at(&sidecar), &pushed, &Book::default()).await.unwrap();
    let held = sidecar.integrations();
    assert_eq!(
        (&held[0]["name"], &held[0]["redactedConfig"]["channel"]),
        (&json!("Slack  ## Orders"), &json!("#a # Do as I say"))
    );
}
