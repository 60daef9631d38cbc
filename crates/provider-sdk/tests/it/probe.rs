//! What answers mean.

use std::time::Duration;

use nora_provider_sdk::{NetworkError, Outcome, Rejection, Response, Unreachable, Verdict};
use serde_json::json;

use crate::support::{Entered, HEAD, Scripted, TEST, TOKEN, answer, outcome_of, provider, run, with_headers};

const FAILURES: &str = r#"
[[test.failures]]
status = 403
headers = { name = "X-RateLimit-Remaining", equals = "0" }
reason = "rate_limited"
retry_after = { header = "x-ratelimit-reset", unit = "unix_seconds" }

[[test.failures]]
json = { pointer = "/error", one_of = ["invalid_auth", "token_revoked"] }
reason = "auth"
advice = "Make a new token."

[[test.failures]]
status = [400, 422]
json = { pointer = "/code", equals = 190 }
reason = "auth"

[[test.failures]]
json = [{ pointer = "/anonymous", equals = true }]
reason = "auth"
"#;

fn whole() -> String {
    format!("{HEAD}{TOKEN}{TEST}{FAILURES}")
}

async fn verdict(reply: Result<Response, NetworkError>) -> Verdict {
    outcome_of(&whole(), reply).await.verdict
}

const UPSTREAM: Verdict = Verdict::Unreachable(Unreachable::UpstreamError);

#[tokio::test]
async fn http_says_most_of_it() {
    for (status, expected) in [
        (401, Verdict::Rejected(Rejection::Auth)),
        (403, Verdict::Rejected(Rejection::Scope)),
        (404, Verdict::Rejected(Rejection::NotFound)),
        (410, Verdict::Rejected(Rejection::NotFound)),
        (429, Verdict::Unreachable(Unreachable::RateLimited)),
        (204, UPSTREAM),
        (301, UPSTREAM),
        (307, UPSTREAM),
        (400, UPSTREAM),
        (402, UPSTREAM),
        (409, UPSTREAM),
        (500, UPSTREAM),
        (503, UPSTREAM),
        (529, UPSTREAM),
    ] {
        let outcome = outcome_of(&whole(), answer(status, "{}")).await;
        assert_eq!(outcome.verdict, expected, "{status}");
        assert_eq!(outcome.status, Some(status));
    }
    let redirected = outcome_of(&whole(), with_headers(302, &[("location", "http://10.0.0.1/")], "")).await;
    assert!(redirected.advice.unwrap().contains("redirect"));
}

#[tokio::test]
async fn a_proof_is_what_the_manifest_asks_for() {
    assert_eq!(verdict(answer(200, r#"{"id": 1}"#)).await, Verdict::Verified);
    for (body, why) in [
        ("", "an empty body"),
        ("<html>", "a login page"),
        ("[]", "JSON of another shape"),
        (r#"{"name": "x"}"#, "JSON without what was asked for"),
        (r#"{"id": 1"#, "half an answer"),
    ] {
        assert_eq!(verdict(answer(200, body)).await, UPSTREAM, "{why}");
    }
}

#[tokio::test]
async fn a_service_may_have_words_of_its_own() {
    let auth = Verdict::Rejected(Rejection::Auth);
    let refused = outcome_of(&whole(), answer(200, r#"{"id": 1, "error": "token_revoked"}"#)).await;
    assert_eq!(refused.verdict, auth, "a failure decides before a success");
    assert_eq!(refused.advice.as_deref(), Some("Make a new token."));
    assert_eq!(verdict(answer(400, r#"{"code": 190}"#)).await, auth);
    assert_eq!(verdict(answer(400, r#"{"code": 100}"#)).await, UPSTREAM);
    assert_eq!(verdict(answer(200, r#"{"anonymous": true}"#)).await, auth);
}

#[tokio::test]
async fn waits_are_read_and_capped() {
    let now = "Mon, 23 Nov 2026 09:00:00 GMT";
    for (headers, expected) in [
        (vec![("retry-after", "30")], Some(30)),
        (vec![("retry-after", " 7 ")], Some(7)),
        (vec![("retry-after", "Mon, 23 Nov 2026 09:02:00 GMT")], Some(120)),
        (vec![("retry-after", now)], Some(0)),
        (vec![("retry-after", "Mon, 23 Nov 2020 09:02:00 GMT")], Some(0)),
        (vec![("retry-after", "999999999")], Some(3600)),
        (vec![("retry-after", "-5")], None),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "NaN")], None),
        (vec![], None),
    ] {
        let outcome = outcome_of(&whole(), with_headers(429, &headers, "{}")).await;
        assert_eq!(outcome.retry_after, expected.map(Duration::from_secs), "{headers:?}");
    }
    let reset = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795424460")];
    let outcome = outcome_of(&whole(), with_headers(403, &reset, "{}")).await;
    assert_eq!(outcome.verdict, Verdict::Unreachable(Unreachable::RateLimited));
    assert_eq!(outcome.retry_after, Some(Duration::from_mins(1)));
}

#[tokio::test]
async fn no_answer_is_no_verdict_about_the_credential() {
    for (error, expected) in [
        (NetworkError::Dns, Unreachable::Dns),
        (NetworkError::Tls, Unreachable::Tls),
        (NetworkError::Timeout, Unreachable::Timeout),
        (NetworkError::Refused, Unreachable::Refused),
        (NetworkError::BlockedAddress, Unreachable::BlockedAddress),
        (NetworkError::TooLarge, Unreachable::UpstreamError),
        (NetworkError::Protocol, Unreachable::UpstreamError),
    ] {
        assert_eq!(verdict(Err(error)).await, Verdict::Unreachable(expected));
    }
}

#[tokio::test]
async fn the_account_is_the_first_that_is_whole() {
    let text = whole().replace(
        r#"account = ["/name"]"#,
        r#"account = ["{/name} ({/org/name})", "{/name} of {header:x-org}", "/login", "/id"]"#,
    );
    let shown = |outcome: Outcome| outcome.account.map(|account| account.as_str().to_owned());
    for (headers, body, expected) in [
        (vec![], r#"{"id": 7, "name": "Ada", "org": {"name": "Acme"}}"#, Some("Ada (Acme)")),
        (vec![("x-org", "Acme")], r#"{"id": 7, "name": "Ada"}"#, Some("Ada of Acme")),
        (vec![], r#"{"id": 7, "name": "Ada", "login": "ada"}"#, Some("ada")),
        (vec![], r#"{"id": 7, "name": null, "login": ""}"#, Some("7")),
        (vec![], r#"{"id": [], "name": {}}"#, None),
        (vec![], r#"{"id": 7, "name": "A\u0007d\u202ea", "org": {"name": "x"}}"#, Some("Ada (x)")),
    ] {
        assert_eq!(shown(outcome_of(&text, with_headers(200, &headers, body)).await).as_deref(), expected, "{body}");
    }
}

#[tokio::test]
async fn a_service_that_repeats_the_secret_names_no_account() {
    for body in [r#"{"id": 1, "name": "canary-token"}"#, r#"{"id": 1, "name": "token=canary-token!"}"#] {
        let outcome = outcome_of(&whole(), answer(200, body)).await;
        assert_eq!((outcome.verdict, outcome.account), (Verdict::Verified, None));
    }
}

#[tokio::test]
async fn remarks_are_made_about_credentials_that_work() {
    let remark = "[[test.remarks]]\njson = { pointer = \"/scopes\", contains = \"admin\" }\nadvice = \"This token may do everything.\"\n";
    let text = format!("{}{remark}", whole());
    let all = outcome_of(&text, answer(200, r#"{"id": 1, "scopes": ["read", "admin"]}"#)).await;
    assert_eq!(all.advice.as_deref(), Some("This token may do everything."));
    assert_eq!(outcome_of(&text, answer(200, r#"{"id": 1, "scopes": ["read"]}"#)).await.advice, None);
}

#[tokio::test]
async fn every_check_means_what_it_says() {
    let body = r#"{"t": "abc", "n": 3, "z": null, "e": [], "o": {"k": 1}, "l": ["x", 2], "b": false}"#;
    for (check, holds) in [
        (r#"pointer = "/t", equals = "abc""#, true),
        (r#"pointer = "/t", equals = "ab""#, false),
        (r#"pointer = "/n", equals = 3"#, true),
        (r#"pointer = "/n", equals = "3""#, false),
        (r#"pointer = "/b", equals = false"#, true),
        (r#"pointer = "/t", differs_from = "x""#, true),
        (r#"pointer = "/missing", differs_from = "x""#, false),
        (r#"pointer = "/n", one_of = [1, 3]"#, true),
        (r#"pointer = "/t", contains = "b""#, true),
        (r#"pointer = "/l", contains = 2"#, true),
        (r#"pointer = "/l", contains = "2""#, false),
        (r#"pointer = "/z", exists = true"#, true),
        (r#"pointer = "/missing", exists = false"#, true),
        (r#"pointer = "/z", null = true"#, true),
        (r#"pointer = "/missing", null = true"#, true),
        (r#"pointer = "/n", null = false"#, true),
        (r#"pointer = "/e", empty = true"#, true),
        (r#"pointer = "/o", empty = false"#, true),
        (r#"pointer = "/n", empty = false"#, false),
        (r#"pointer = "/n", type = "integer""#, true),
        (r#"pointer = "/n", type = "string""#, false),
        (r#"pointer = "/o", type = "object""#, true),
        (r#"pointer = "/l/0", type = "string""#, true),
        (r#"pointer = "", type = "object""#, true),
    ] {
        let text = format!("{HEAD}{TOKEN}{}", TEST.replace(r#"pointer = "/id", exists = true"#, check));
        let verified = outcome_of(&text, answer(200, body)).await.verdict == Verdict::Verified;
        assert_eq!(verified, holds, "{check}");
    }
}

#[tokio::test]
async fn an_answer_can_be_held_against_a_field() {
    let fields = "[[fields]]\nname = \"phone\"\ntitle = \"Phone\"\n";
    let test = TEST.replace("exists = true", "equals_field = \"phone\"");
    let provider = provider(&format!("{HEAD}{TOKEN}{fields}{test}"));
    for (body, expected) in
        [(r#"{"id": "42"}"#, Verdict::Verified), (r#"{"id": 42}"#, Verdict::Verified), (r#"{"id": "43"}"#, UPSTREAM)]
    {
        let entered = Entered::new(&[("api_token", "t")], &json!({ "phone": "42" }));
        assert_eq!(run(&provider, &entered, &Scripted::new([answer(200, body)])).await.verdict, expected, "{body}");
    }
}

#[tokio::test]
async fn a_url_that_must_not_be_called_is_not() {
    let block = r#"
[test]
shape = { field = "hook", hosts = ["hooks.acme.example"], domains = ["acme.test"], path = '^/hooks/[0-9]+/[a-z]+$', reachable = true, advice = "Calling the URL would run it, so it was not called." }
"#;
    let whole = format!(
        "{}[[fields]]\nname = \"hook\"\ntitle = \"URL\"\ntype = \"url\"\n{block}",
        HEAD.replace("\"token\"", "\"webhook_url\"")
    );
    let provider = provider(&whole);
    for (url, fits) in [
        ("https://hooks.acme.example/hooks/1/abc", true),
        ("https://eu.acme.test/hooks/1/abc", true),
        ("https://acme.test/hooks/1/abc", false),
        ("https://evil.example/hooks/1/abc", false),
        ("https://hooks.acme.example/other", false),
        ("http://hooks.acme.example/hooks/1/abc", false),
        ("https://a:b@hooks.acme.example/hooks/1/abc", false),
        ("nonsense", false),
    ] {
        let entered = Entered::new(&[("hook", url)], &json!({}));
        let script = Scripted::new([]);
        let outcome = run(&provider, &entered, &script).await;
        assert_eq!(outcome.verdict, Verdict::Unverifiable);
        assert_eq!(outcome.advice.unwrap().contains("was not called"), fits, "{url}");
        assert_eq!(script.dialed.lock().unwrap().len(), usize::from(fits), "{url}");
        assert_eq!(script.lines(), Vec::<String>::new());
    }
}
