//! When the key set is fetched, and what holds while it cannot be.

use std::sync::Arc;
use std::time::Duration;

use nora_access::ports::{TokenError, TokenVerifier as _};

use crate::support::{NOW, Setup, is_invalid, is_unavailable, key, set, token, usual_set};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_set_is_kept_for_ten_minutes() {
    let setup = Setup::new(usual_set());
    setup.assert_fetches(0);
    assert!(setup.verify("rs256").await.is_ok());
    setup.clock.advance(599 * SECOND);
    assert!(setup.verify("es256").await.is_ok());
    setup.assert_fetches(1);
    setup.clock.advance(SECOND);
    assert!(setup.verify("es256").await.is_ok());
    setup.assert_fetches(2);
}

#[tokio::test]
async fn a_key_that_was_withdrawn_verifies_nothing_after_that() {
    let setup = Setup::new(usual_set());
    assert!(setup.verify("rs256").await.is_ok());
    setup.issuer.publish(set(&[key("ec")]));
    assert!(setup.verify("rs256").await.is_ok());
    setup.clock.advance(10 * MINUTE);
    assert!(is_invalid(&setup.verify("rs256").await));
    assert!(setup.verify("es256").await.is_ok());

    setup.issuer.publish(set(&[]));
    setup.clock.advance(10 * MINUTE);
    assert!(is_invalid(&setup.verify("es256").await), "an empty set withdraws every key");
}

#[tokio::test]
async fn a_new_key_is_found_at_once() {
    let setup = Setup::new(set(&[key("ec")]));
    assert!(setup.verify("es256").await.is_ok());
    setup.clock.advance(30 * SECOND);
    setup.issuer.publish(usual_set());
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(2);
}

#[tokio::test]
async fn an_unknown_key_is_asked_for_once_in_30_seconds() {
    let setup = Setup::new(usual_set());
    assert!(setup.verify("rs256").await.is_ok());
    for _ in 0..5 {
        assert!(is_invalid(&setup.verify("rs256_unknown_kid").await));
    }
    setup.assert_fetches(1);
    setup.clock.advance(29 * SECOND);
    assert!(is_invalid(&setup.verify("rs256_unknown_kid").await));
    setup.assert_fetches(1);
    setup.clock.advance(SECOND);
    for _ in 0..5 {
        assert!(is_invalid(&setup.verify("rs256_unknown_kid").await));
    }
    setup.assert_fetches(2);
}

#[tokio::test]
async fn the_set_at_hand_outlives_an_outage() {
    let setup = Setup::new(usual_set());
    assert!(setup.verify("rs256").await.is_ok());
    setup.issuer.break_down();
    for minutes in [10, 60, 6000] {
        setup.clock.advance(minutes * MINUTE);
        assert!(setup.verify("rs256").await.is_ok(), "after {minutes} more minutes");
    }
    setup.assert_fetches(4);
    assert!(setup.verify("rs256").await.is_ok());
    setup.clock.advance(29 * SECOND);
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(4);

    setup.issuer.publish(set(&[key("ec")]));
    setup.clock.advance(SECOND);
    assert!(is_invalid(&setup.verify("rs256").await), "the outage is over");
    setup.assert_fetches(5);
}

#[tokio::test]
async fn a_document_that_is_no_set_replaces_nothing() {
    let setup = Setup::new(usual_set());
    assert!(setup.verify("rs256").await.is_ok());
    setup.issuer.publish(b"<html>maintenance</html>".to_vec());
    setup.clock.advance(10 * MINUTE);
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(2);
}

#[tokio::test]
async fn an_unknown_key_during_an_outage_is_not_called_invalid() {
    let setup = Setup::new(set(&[key("ec")]));
    assert!(setup.verify("es256").await.is_ok());
    setup.issuer.break_down();
    setup.clock.advance(30 * SECOND);
    assert!(is_unavailable(&setup.verify("rs256").await));
    assert!(is_unavailable(&setup.verify("rs256").await));
    setup.assert_fetches(2);
    setup.issuer.publish(usual_set());
    setup.clock.advance(30 * SECOND);
    assert!(setup.verify("rs256").await.is_ok());
}

#[tokio::test]
async fn without_any_set_it_is_tried_again_after_five_seconds() {
    let setup = Setup::new(usual_set());
    setup.issuer.break_down();
    for _ in 0..3 {
        assert!(is_unavailable(&setup.verify("rs256").await));
    }
    setup.assert_fetches(1);
    setup.issuer.publish(usual_set());
    setup.clock.advance(4 * SECOND);
    let refused = setup.verify("rs256").await;
    assert!(matches!(&refused, Err(TokenError::Unavailable(cause)) if cause.to_string().contains("key set")));
    setup.clock.advance(SECOND);
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(2);
}

#[tokio::test]
async fn a_clock_that_was_set_back_does_not_keep_a_set_for_ever() {
    let setup = Setup::new(usual_set());
    assert!(setup.verify("rs256").await.is_ok());
    setup.clock.set(NOW - 86_400);
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(2);
}

#[tokio::test]
async fn requests_that_meet_share_a_fetch() {
    let setup = Setup::new(usual_set());
    let release = setup.issuer.hold_back();
    let requests: Vec<_> = (0..20)
        .map(|_| {
            let verifier = Arc::clone(&setup.verifier);
            tokio::spawn(async move { verifier.verify(&token("rs256")).await })
        })
        .collect();
    release.notify_one();
    for request in requests {
        assert!(request.await.unwrap().is_ok());
    }
    setup.assert_fetches(1);
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_cancel_the_fetch() {
    let setup = Setup::new(usual_set());
    let release = setup.issuer.hold_back();
    let verifier = Arc::clone(&setup.verifier);
    let impatient = tokio::spawn(async move { verifier.verify(&token("rs256")).await });
    while setup.issuer.fetches() == 0 {
        tokio::task::yield_now().await;
    }
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    release.notify_one();
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(1);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_is_given_up() {
    let setup = Setup::new(usual_set());
    let never = setup.issuer.hold_back();
    assert!(is_unavailable(&setup.verify("rs256").await));
    setup.clock.advance(5 * SECOND);
    never.notify_one();
    assert!(setup.verify("rs256").await.is_ok());
    setup.assert_fetches(2);
}
