//! Tests of more than one request, and what requests are made of.

use nora_provider_sdk::{Provider, Rejection, Unreachable, Verdict};
use serde_json::json;

use crate::support::{Entered, HEAD, Scripted, TOKEN, answer, provider, run};

const EXCHANGE: &str = r#"
[[fields]]
name = "client_id"
title = "Client id"
required = true

[[fields]]
name = "org"
title = "Organization"

[test]
url = "https://api.acme.example/v2/users/me"
headers = { Authorization = "Bearer {access_token}", X-Org = "{org}" }
query = { "expand[]" = "a b&c", org = "{org}" }
success = { json = { pointer = "/id", type = "string" } }
account = ["/name"]

[[test.before]]
url = "https://acme.example/oauth/token"
method = "POST"
read_only_because = "A token is issued and nothing else changes."
basic = { username = "{client_id}", password = "{api_token}" }
form = { grant_type = "account_credentials", account = "{client_id}" }
save = { access_token = "/access_token" }

[[test.before.failures]]
status = 400
json = { pointer = "/error", equals = "invalid_client" }
reason = "auth"

[[test.alternatives]]
after = [403, 404]
url = "https://api.acme.example/v2/abilities"
success = { json = { pointer = "/abilities", type = "array" } }
advice = "The token belongs to the account and not to a person."
"#;

fn text() -> String {
    format!("{HEAD}{TOKEN}{EXCHANGE}")
}

fn entered() -> Entered {
    Entered::new(&[("api_token", "s3cret é")], &json!({ "client_id": "id&1" }))
}

#[tokio::test]
async fn a_token_is_exchanged_and_used() {
    let script = Scripted::new([
        answer(200, r#"{"access_token": "short-lived"}"#),
        answer(200, r#"{"id": "u1", "name": "Ada"}"#),
    ]);
    let outcome = run(&provider(&text()), &entered(), &script).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert_eq!(outcome.account.unwrap().as_str(), "Ada");
    let seen = script.seen.lock().unwrap();
    assert_eq!(seen[0].line, "POST https://acme.example/oauth/token");
    assert_eq!(seen[0].header("authorization"), Some("Basic aWQmMTpzM2NyZXQgw6k="));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[0].body.as_deref(), Some("account=id%261&grant_type=account_credentials"));
    assert_eq!(seen[1].line, "GET https://api.acme.example/v2/users/me?expand%5B%5D=a%20b%26c");
    assert_eq!(seen[1].header("authorization"), Some("Bearer short-lived"));
    assert_eq!(seen[1].header("x-org"), None, "a header whose field is empty is left out");
    assert_eq!(seen[1].header("accept"), Some("application/json"));
    assert_eq!(seen[1].header("user-agent"), Some("nora"));
}

#[tokio::test]
async fn a_step_that_fails_ends_the_test() {
    for (status, body, expected) in [
        (400, r#"{"error": "invalid_client"}"#, Verdict::Rejected(Rejection::Auth)),
        (401, "{}", Verdict::Rejected(Rejection::Auth)),
        (200, "{}", Verdict::Unreachable(Unreachable::UpstreamError)),
        (200, r#"{"access_token": ""}"#, Verdict::Unreachable(Unreachable::UpstreamError)),
    ] {
        let script = Scripted::new([answer(status, body)]);
        assert_eq!(run(&provider(&text()), &entered(), &script).await.verdict, expected, "{body}");
        assert_eq!(script.lines().len(), 1);
    }
}

#[tokio::test]
async fn what_was_saved_cannot_break_a_header() {
    let script = Scripted::new([answer(200, r#"{"access_token": "a\r\nX-Evil: 1"}"#)]);
    let outcome = run(&provider(&text()), &entered(), &script).await;
    assert_eq!(outcome.verdict, Verdict::Unverifiable);
    assert_eq!(script.lines().len(), 1);
}

#[tokio::test]
async fn another_request_decides_where_the_first_does_not() {
    let token = || answer(200, r#"{"access_token": "short-lived"}"#);
    let script = Scripted::new([token(), answer(404, "{}"), answer(200, r#"{"abilities": []}"#)]);
    let outcome = run(&provider(&text()), &entered(), &script).await;
    assert_eq!(outcome.verdict, Verdict::Verified);
    assert!(outcome.advice.unwrap().contains("not to a person"));
    assert_eq!(script.seen.lock().unwrap()[2].header("authorization"), Some("Bearer short-lived"));

    let script = Scripted::new([token(), answer(404, "{}"), answer(401, "{}")]);
    assert_eq!(run(&provider(&text()), &entered(), &script).await.verdict, Verdict::Rejected(Rejection::Auth));

    let script = Scripted::new([token(), answer(401, "{}"), answer(200, r#"{"abilities": []}"#)]);
    assert_eq!(run(&provider(&text()), &entered(), &script).await.verdict, Verdict::Rejected(Rejection::Auth));
    assert_eq!(script.lines().len(), 2, "401 decides");
}

#[tokio::test]
async fn values_are_escaped_for_json_bodies() {
    let test = r#"
[test]
url = "https://hub.acme.example/v2/auth/token"
method = "POST"
read_only_because = "A token is issued and nothing else changes."
json = { identifier = "{user}", secret = "{api_token}", query = "{ viewer { id } }", list = [1, true, "x"] }
success = { json = { pointer = "/access_token", exists = true } }
account = ["{user}"]
"#;
    let provider = provider(&format!("{HEAD}{TOKEN}[[fields]]\nname = \"user\"\ntitle = \"User\"\n{test}"));
    let entered = Entered::new(&[("api_token", "a\"},{\"admin\":true,\"b\":\"")], &json!({ "user": "ada\\" }));
    let script = Scripted::new([answer(200, r#"{"access_token": "x"}"#)]);
    let outcome = run(&provider, &entered, &script).await;
    assert_eq!(outcome.account.unwrap().as_str(), "ada\\");
    let seen = script.seen.lock().unwrap();
    let body: serde_json::Value = serde_json::from_str(seen[0].body.as_deref().unwrap()).unwrap();
    let expected = json!({
        "identifier": "ada\\",
        "secret": "a\"},{\"admin\":true,\"b\":\"",
        "query": "{ viewer { id } }",
        "list": [1, true, "x"],
    });
    assert_eq!(body, expected);
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
}

#[tokio::test]
async fn the_first_test_that_applies_is_run() {
    let tests = r#"
[[fields]]
name = "app_key"
title = "Application key"
secret = true

[[fields]]
name = "kind"
title = "Kind"
type = "choice"
options = ["user", "account"]
default = "user"

[[test]]
when = { set = ["app_key"], equals = { kind = "account" } }
url = "https://acme.example/both"
success = { json = { pointer = "/id", exists = true } }

[[test]]
when = { equals = { kind = "account" }, unset = ["app_key"] }
url = "https://acme.example/account"
success = { json = { pointer = "/id", exists = true } }

[[test]]
when = { prefix = { api_token = "xoxp-" } }
url = "https://acme.example/person"
success = { json = { pointer = "/id", exists = true } }

[[test]]
url = "https://acme.example/user"
success = { json = { pointer = "/id", exists = true } }
"#;
    let provider = provider(&format!("{HEAD}{TOKEN}{tests}"));
    assert_eq!(provider.manifest().requests().len(), 4);
    for (secrets, config, path) in [
        (vec![("api_token", "t"), ("app_key", "k")], json!({ "kind": "account" }), "both"),
        (vec![("api_token", "t")], json!({ "kind": "account" }), "account"),
        (vec![("api_token", "xoxp-1")], json!({}), "person"),
        (vec![("api_token", "t")], json!({}), "user"),
        (vec![("api_token", "t"), ("app_key", "k")], json!({ "kind": "user" }), "user"),
    ] {
        let script = Scripted::new([]);
        run(&provider, &Entered::new(&secrets, &config), &script).await;
        assert_eq!(script.lines(), [format!("GET https://acme.example/{path}")]);
    }
}

#[test]
fn a_value_that_cannot_travel_is_refused_before_it_is_stored() {
    let provider = provider(&format!("{HEAD}{TOKEN}{}", crate::support::TEST));
    let problems = |token: &str| {
        let entered = Entered::new(&[("api_token", token)], &json!({}));
        provider.check(&entered.connection(provider.manifest()))
    };
    assert_eq!(problems("fine"), []);
    for refused in ["a\r\nX-Evil: 1", "a\u{0}", "naïve", "a\tb"] {
        let found = problems(refused);
        assert_eq!(found.len(), 1, "{refused:?}");
        assert!(found.iter().all(|problem| problem.field.as_str() == "api_token" && !problem.detail.contains(refused)));
    }
    let absent = Entered::new(&[], &json!({}));
    assert_eq!(
        provider.check(&absent.connection(provider.manifest())),
        [],
        "a secret that is kept is not entered again"
    );
}
