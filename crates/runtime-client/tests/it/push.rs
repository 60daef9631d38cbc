//! Pushes that arrive.

use nora_integrations::ports::{PushError, RuntimeClient as _, VariableState};
use nora_reference_runtime::faults::{Fault, Route};

use crate::support::{Book, address_of, empty, push, runtime, runtimes};

#[tokio::test]
async fn the_runtime_holds_what_was_pushed() {
    let (runtime, client) = (runtime(), runtimes());
    let address = address_of(&runtime);
    let value = "xoxb-1 \"quoted\" \\ é 😀\nsecond line\u{1}\u{7f}";
    let applied =
        client.apply(&address, &push(41, &[("A", ""), ("SLACK_BOT_TOKEN", value)]), &Book::default()).await.unwrap();
    let live: Vec<_> = applied.variables.iter().map(|variable| (variable.name.as_str(), variable.state)).collect();
    assert_eq!(live, [("A", VariableState::Live), ("SLACK_BOT_TOKEN", VariableState::Live)]);
    let handle = runtime.handle();
    assert_eq!(handle.env_value("SLACK_BOT_TOKEN").unwrap().expose(), value);
    assert_eq!(
        (handle.generation(), handle.integrations()[0]["redactedConfig"]["token"].as_str()),
        (Some(41), Some("[REDACTED]"))
    );

    assert!(client.apply(&address, &empty(42), &Book::default()).await.unwrap().variables.is_empty());
    assert!(handle.env_names().is_empty() && handle.integrations().is_empty());
}

#[tokio::test]
async fn a_runtime_that_holds_more_says_so_and_keeps_it() {
    let (runtime, client) = (runtime(), runtimes());
    let address = address_of(&runtime);
    client.apply(&address, &push(9, &[("A", "nine")]), &Book::default()).await.unwrap();
    let late = client.apply(&address, &push(8, &[("A", "eight")]), &Book::default()).await;
    assert_eq!(late, Err(PushError::Superseded { current: 9 }));
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "nine");
    client.apply(&address, &push(9, &[("A", "again")]), &Book::default()).await.unwrap();
    client.apply(&address, &push(10, &[("A", "ten")]), &Book::default()).await.unwrap();
    assert_eq!(runtime.handle().env_value("A").unwrap().expose(), "ten");
}

#[tokio::test]
async fn a_lost_answer_is_no_confirmation_and_pushing_again_is_harmless() {
    let (runtime, client) = (runtime(), runtimes());
    let address = address_of(&runtime);
    runtime.handle().faults().next(Route::Sync, Fault::CutAfterwards);
    assert!(client.apply(&address, &push(1, &[("A", "a")]), &Book::default()).await.is_err());
    assert_eq!(runtime.handle().generation(), Some(1), "it had arrived");
    assert!(client.apply(&address, &push(1, &[("A", "a")]), &Book::default()).await.is_ok());
}

#[tokio::test]
async fn a_large_state_fits() {
    let (runtime, client) = (runtime(), runtimes());
    let key = "k".repeat(64 * 1024);
    let names: Vec<String> = (0..40).map(|number| format!("KEY_{number}")).collect();
    let env: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), key.as_str())).collect();
    let applied = client.apply(&address_of(&runtime), &push(1, &env), &Book::default()).await.unwrap();
    assert_eq!((applied.variables.len(), runtime.handle().env_names().len()), (40, 40));
}
