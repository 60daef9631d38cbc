//! What is refused before anything is stored, and what is sent nowhere.

use nora_provider_sdk::{NetworkError, Verdict};
use nora_provider_testkit::LoopbackContext;
use serde_json::{Value, json};

use crate::support::{KEY, check, key_file, key_with, provider, test};

const IDS: [&str; 6] = ["gcp", "google-sheets", "google-calendar", "google-drive", "google-analytics", "firebase"];

/// Key files that are refused, each with a part of the advice.
fn refused() -> Vec<(String, &'static str)> {
    let damaged = key_file()["private_key"].as_str().unwrap().replace("MIIEvQIB", "MIIEvQIC");
    vec![
        ("no JSON".to_owned(), "JSON"),
        ("[]".to_owned(), "whole JSON key file"),
        ("{}".to_owned(), "`type`"),
        (r#"{"type": "service_account", "type": "service_account"}"#.to_owned(), "whole JSON key file"),
        (key_with("type", "external_account"), "`type`"),
        (key_with("type", "authorized_user"), "`type`"),
        (key_with("client_email", Value::Null), "client_email"),
        (key_with("client_email", "canary"), "client_email"),
        (key_with("client_email", "canary@acme.example\r\nx"), "client_email"),
        (key_with("client_email", format!("{}@acme.example", "x".repeat(300))), "client_email"),
        (key_with("client_email", json!(["canary@acme.example"])), "whole JSON key file"),
        (key_with("token_uri", Value::Null), "token_uri"),
        (key_with("token_uri", "https://canary.evil.test/token"), "token_uri"),
        (key_with("token_uri", "https://oauth2.googleapis.com/token#canary"), "token_uri"),
        (key_with("token_uri", "http://oauth2.googleapis.com/token"), "token_uri"),
        (key_with("private_key", Value::Null), "private_key"),
        (key_with("private_key", "canary"), "private_key"),
        (key_with("private_key", damaged), "private_key"),
    ]
}

#[test]
fn the_example_is_taken() {
    for id in IDS {
        assert_eq!(check(id, &[]), [], "{id}");
    }
}

#[test]
fn a_key_that_was_kept_need_not_be_sent_again() {
    assert_eq!(check("gcp", &[(KEY, "")]), []);
}

#[test]
fn other_files_say_what_to_change() {
    for (file, advice) in refused() {
        let problems = check("gcp", &[(KEY, &file)]);
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), [KEY], "{advice}");
        assert!(problems[0].detail.contains(advice), "{}", problems[0].detail);
        assert!(!problems[0].detail.contains("canary"));
    }
}

#[tokio::test]
async fn nothing_is_sent_with_a_key_that_is_refused() {
    let context = LoopbackContext::failing(NetworkError::Dns);
    for (file, _) in refused().into_iter().chain([(String::new(), "")]) {
        let outcome = test("google-drive", &[(KEY, &file)], &context).await;
        assert_eq!(outcome.verdict, Verdict::Unverifiable);
        assert!(outcome.advice.unwrap().starts_with("Nothing was sent"));
    }
    assert_eq!(context.dialed(), []);
}

#[tokio::test]
async fn nothing_is_sent_without_what_is_to_be_asked_for() {
    let context = LoopbackContext::failing(NetworkError::Dns);
    let nameless = key_with("project_id", Value::Null);
    for (id, entered) in
        [("gcp", ("project_id", "")), ("google-analytics", ("property_id", "")), ("firebase", (KEY, &*nameless))]
    {
        assert_eq!(test(id, &[entered], &context).await.verdict, Verdict::Unverifiable, "{id}");
    }
    assert_eq!(context.dialed(), []);
}

/// The variable Google's libraries read is a path, and a variable that holds JSON in its place would break them.
#[test]
fn no_variable_claims_to_be_a_path() {
    for id in IDS {
        let provider = provider(id);
        let names = provider.manifest().fields().iter().filter_map(|field| Some(field.env.as_ref()?.as_str()));
        let names: Vec<String> = names.map(str::to_owned).collect();
        assert!(!names.is_empty() && !names.contains(&"GOOGLE_APPLICATION_CREDENTIALS".to_owned()), "{id}");
    }
}
