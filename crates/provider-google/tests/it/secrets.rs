//! What leaves, and what is shown.

use nora_provider_sdk::Verdict;
use nora_provider_testkit::{LoopbackContext, Received, Reply, Service};
use serde_json::json;

use crate::support::{TOKEN, key_file, test};

fn token() -> Reply {
    Reply::json(200, json!({ "access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer" }).to_string())
}

fn text(received: &Received) -> String {
    format!("{} {:?} {}", received.target, received.headers, String::from_utf8_lossy(&received.body))
}

#[tokio::test]
async fn the_private_key_never_leaves() {
    let service = Service::start([token()], Reply::json(403, "{}")).await;
    test("google-drive", &[], &LoopbackContext::to_service(&service)).await;
    let key = key_file()["private_key"].as_str().unwrap().to_owned();
    let lines: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(lines.len() > 20);
    for received in service.received() {
        assert!(lines.iter().all(|line| !text(&received).contains(line)));
    }
}

#[tokio::test]
async fn the_token_is_sent_to_the_service_alone_and_once() {
    for (id, hosts) in [
        ("gcp", &["oauth2.googleapis.com", "cloudresourcemanager.googleapis.com"][..]),
        ("google-sheets", &["oauth2.googleapis.com", "sheets.googleapis.com"]),
        ("google-calendar", &["oauth2.googleapis.com", "www.googleapis.com"]),
        ("google-drive", &["oauth2.googleapis.com", "www.googleapis.com"]),
        ("google-analytics", &["oauth2.googleapis.com", "analyticsdata.googleapis.com"]),
        ("firebase", &["oauth2.googleapis.com", "firebase.googleapis.com"]),
    ] {
        let service = Service::start([token()], Reply::json(500, "{}")).await;
        let context = LoopbackContext::to_service(&service);
        test(id, &[], &context).await;
        assert_eq!(context.dialed().iter().map(|dialed| dialed.host.as_str()).collect::<Vec<_>>(), hosts);
        let received = service.received();
        assert_eq!(received[1].header("authorization"), Some(format!("Bearer {TOKEN}").as_str()));
        assert_eq!(received.iter().map(|received| text(received).matches(TOKEN).count()).sum::<usize>(), 1);
    }
}

/// A service that names a thing after the token it was sent does not make an outcome repeat it.
#[tokio::test]
async fn the_token_is_never_shown() {
    let echo = json!({ "spreadsheetId": "x", "properties": { "title": format!("a {TOKEN} b") } }).to_string();
    for reply in [Reply::json(200, echo.clone()), Reply::json(403, echo.clone()), Reply::json(500, echo)] {
        let service = Service::start([token(), reply], Reply::Hangup).await;
        let outcome = test("google-sheets", &[], &LoopbackContext::to_service(&service)).await;
        assert!(!format!("{outcome:?}").contains(TOKEN));
        if outcome.verdict == Verdict::Verified {
            assert_eq!(outcome.account.unwrap().as_str(), "nora@acme-prod.iam.gserviceaccount.com");
        }
    }
}

#[tokio::test]
async fn an_id_cannot_leave_its_place_in_the_path() {
    let service = Service::start([token()], Reply::json(404, "{}")).await;
    let entered = [("calendar_id", "../../drive/v3/files?x=#@example.com")];
    test("google-calendar", &entered, &LoopbackContext::to_service(&service)).await;
    assert_eq!(service.received()[1].target, "/calendar/v3/calendars/..%2F..%2Fdrive%2Fv3%2Ffiles%3Fx=%23@example.com");
}
