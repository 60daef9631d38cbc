//! Pushes that are not confirmed.

use std::time::Duration;

use nora_integrations::ports::{FailureClass, PushError, RuntimeAddress, RuntimeClient as _};
use nora_kernel::Secret;
use nora_kernel::address::NetworkPolicy;
use nora_reference_runtime::faults::{Fault, Route};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::support::{Book, address, address_of, failed, once, push, runtime, runtimes, runtimes_within};

async fn met(fault: Fault) -> PushError {
    let runtime = runtime();
    runtime.handle().faults().next(Route::Sync, fault);
    runtimes().apply(&address_of(&runtime), &push(5, &[("A", "a")]), &Book::default()).await.unwrap_err()
}

#[tokio::test]
async fn an_answer_that_does_not_confirm_is_a_bad_answer() {
    for lie in [
        r#"{"synced":false,"count":1,"generation":5}"#,
        r#"{"synced":true,"count":0,"generation":5}"#,
        r#"{"synced":true,"count":2,"generation":5}"#,
        r#"{"synced":true,"count":1,"generation":4}"#,
        r#"{"synced":true,"count":1,"generation":6}"#,
        r#"{"synced":true,"count":1}"#,
        r#"{"synced":"true","count":1,"generation":5}"#,
        r#"{"synced":true,"count":1,"generation":5"#,
        r#"{"synced":true,"count":1,"generation":5} and more"#,
        r"[true,1,5]x",
        "<!doctype html><title>Welcome</title>",
        "",
    ] {
        assert_eq!(met(Fault::lie(lie)).await, failed(FailureClass::BadAnswer), "{lie}");
    }
}

#[tokio::test]
async fn statuses_have_classes() {
    for (status, class) in [
        (401, FailureClass::Auth),
        (403, FailureClass::Auth),
        (400, FailureClass::Rejected),
        (404, FailureClass::Rejected),
        (413, FailureClass::Rejected),
        (429, FailureClass::RateLimited),
        (500, FailureClass::ServerError),
        (503, FailureClass::ServerError),
        (204, FailureClass::BadAnswer),
        (307, FailureClass::BadAnswer),
        (409, FailureClass::BadAnswer),
    ] {
        assert_eq!(met(Fault::status(status)).await, failed(class), "{status}");
    }
}

#[tokio::test]
async fn a_conflict_must_name_a_later_generation() {
    let conflict = |body: &str| Fault::Answer { status: 409, headers: Vec::new(), body: body.to_owned() };
    assert_eq!(met(conflict(r#"{"generation":6}"#)).await, PushError::Superseded { current: 6 });
    for body in [r#"{"generation":5}"#, r#"{"generation":4}"#, r#"{"generation":-1}"#, "{}", "no"] {
        assert_eq!(met(conflict(body)).await, failed(FailureClass::BadAnswer), "{body}");
    }
}

#[tokio::test]
async fn a_wait_is_honoured_up_to_an_hour() {
    let asked = |status, text: &str| Fault::Answer {
        status,
        headers: vec![("retry-after", text.to_owned())],
        body: String::new(),
    };
    let seconds = |error| match error {
        PushError::Failed { retry_after, .. } => retry_after.map(|wait: Duration| wait.as_secs()),
        PushError::Superseded { .. } => None,
    };
    assert_eq!(seconds(met(asked(429, "7")).await), Some(7));
    assert_eq!(seconds(met(asked(503, "120")).await), Some(120));
    assert_eq!(seconds(met(asked(429, "99999999")).await), Some(3600));
    assert_eq!(seconds(met(asked(429, "99999999999999999999999999")).await), Some(3600));
    for ignored in ["-1", "soon", "", "Wed, 21 Oct 2099 07:28:00 GMT", "1.5"] {
        assert_eq!(seconds(met(asked(429, ignored)).await), None, "{ignored}");
    }
    assert_eq!(seconds(met(asked(500, "7")).await), None);
}

#[tokio::test]
async fn a_wrong_token_is_not_accepted() {
    let runtime = runtime();
    for token in [Some("wrong"), Some("bro\nken"), None] {
        let token = token.map(|text| Secret::new(text.to_owned()));
        let address = RuntimeAddress { token, ..address_of(&runtime) };
        assert_eq!(runtimes().apply(&address, &push(1, &[]), &Book::default()).await, Err(failed(FailureClass::Auth)));
    }
    assert_eq!(runtime.handle().generation(), None);
}

#[tokio::test]
async fn a_redirect_takes_the_credentials_nowhere() {
    let sink = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/integrations/sync", sink.local_addr().unwrap());
    let redirect = Fault::Answer { status: 307, headers: vec![("location", location)], body: String::new() };
    assert_eq!(met(redirect).await, failed(FailureClass::BadAnswer));
    let followed = tokio::time::timeout(Duration::ZERO, sink.accept()).await;
    assert!(followed.is_err(), "somebody followed the redirect");
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n".to_vec();
    let (declared, _) = once(head).await;
    let flood = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; 1024 * 1024]].concat();
    let (undeclared, _) = once(flood).await;
    for peer in [declared, undeclared] {
        let answer = runtimes().apply(&address(&format!("http://{peer}")), &push(1, &[]), &Book::default()).await;
        assert_eq!(answer, Err(failed(FailureClass::BadAnswer)));
    }
}

#[tokio::test]
async fn a_cut_a_closed_port_and_garbage_are_told_apart() {
    assert_eq!(met(Fault::Cut).await, failed(FailureClass::Refused));
    let (garbage, _) = once(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec()).await;
    let answer = runtimes().apply(&address(&format!("http://{garbage}")), &push(1, &[]), &Book::default()).await;
    assert_eq!(answer, Err(failed(FailureClass::BadAnswer)));

    let runtime = runtime();
    let address = address_of(&runtime);
    runtime.stop().await;
    assert_eq!(runtimes().apply(&address, &push(1, &[]), &Book::default()).await, Err(failed(FailureClass::Refused)));
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_never_answers_ends_in_a_timeout() {
    let runtime = runtime();
    runtime.handle().faults().next(Route::Sync, Fault::Silence);
    let start = Instant::now();
    let answer = runtimes().apply(&address_of(&runtime), &push(1, &[]), &Book::default()).await;
    assert_eq!(answer, Err(failed(FailureClass::Timeout)));
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn addresses_outside_the_networks_are_not_called() {
    let runtime = runtime();
    let strict = runtimes_within(NetworkPolicy::runtimes_by_default(false));
    let answer = strict.apply(&address_of(&runtime), &push(1, &[]), &Book::default()).await;
    assert_eq!(answer, Err(failed(FailureClass::BlockedAddress)));
    let public = address("http://93.184.216.34:9090");
    let answer = runtimes().apply(&public, &push(1, &[]), &Book::default()).await;
    assert_eq!(answer, Err(failed(FailureClass::BlockedAddress)), "a public runtime needs TLS");
    let nowhere = runtimes().apply(&address("http://no-such-host.invalid:9090"), &push(1, &[]), &Book::default()).await;
    assert_eq!(nowhere, Err(failed(FailureClass::Dns)));
}
