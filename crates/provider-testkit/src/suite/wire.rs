//! Checks of what comes and goes over the network.

use std::time::Duration;

use nora_provider_sdk::{Method, NetworkError, Outcome, Provider, Rejection, Unreachable, Verdict};

use super::Finding;
use super::subject::{named, subjects};
use crate::{LoopbackContext, Reply, Service};

/// A method that may change something is one the manifest explains, and no other is sent.
pub(super) async fn changing_requests_say_why_they_do_not(provider: &dyn Provider) -> Finding {
    let declared = provider.manifest().requests();
    let explained =
        declared.iter().any(|request| request.method == Method::Post && request.read_only_because.is_some());
    for subject in subjects(provider) {
        let service = subject.service_failing_at(subject.answers().len(), Reply::json(500, "{}")).await;
        subject.test(&LoopbackContext::to_service(&service)).await?;
        for received in service.received() {
            let is_read = matches!(received.method.as_str(), "GET" | "HEAD");
            let is_explained = received.method == "POST" && explained;
            if !is_read && !is_explained {
                let target = received.target.split('?').next().unwrap_or_default();
                return Err(format!(
                    "{} {target} is sent, and the manifest does not say why it changes nothing",
                    received.method
                ));
            }
        }
    }
    Ok(())
}

pub(super) async fn a_valid_credential_is_verified(provider: &dyn Provider) -> Finding {
    for subject in subjects(provider) {
        let service = subject.service_failing_at(subject.answers().len(), Reply::json(500, "{}")).await;
        let outcome = subject.test(&LoopbackContext::to_service(&service)).await?;
        if outcome.verdict != Verdict::Verified {
            return Err(format!("{}: came to {}", subject.case.name, named(&outcome)));
        }
        let sent = service.received().len();
        if sent != subject.answers().len() {
            return Err(format!("{}: {sent} requests were sent", subject.case.name));
        }
    }
    Ok(())
}

/// Answers every step in turn with `reply`, and holds each outcome to `expected`.
async fn at_every_step(
    provider: &dyn Provider,
    what: &str,
    reply: &Reply,
    expected: impl Fn(&Outcome) -> bool,
) -> Finding {
    for subject in subjects(provider) {
        for step in subject.steps() {
            let outcome = subject.test_failing_at(step, reply.clone()).await?;
            if !expected(&outcome) {
                let name = &subject.case.name;
                return Err(format!("{name}: {what} at request {} came to {}", step + 1, named(&outcome)));
            }
        }
    }
    Ok(())
}

fn is_rejected(outcome: &Outcome) -> bool {
    matches!(outcome.verdict, Verdict::Rejected(_))
}

fn is_unreachable_for(outcome: &Outcome, reason: Unreachable) -> bool {
    outcome.verdict == Verdict::Unreachable(reason)
}

fn proves_nothing(outcome: &Outcome) -> bool {
    outcome.verdict != Verdict::Verified
}

pub(super) async fn refusals_are_rejections(provider: &dyn Provider) -> Finding {
    let refused = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Rejected(Rejection::Auth | Rejection::Scope));
    at_every_step(provider, "401", &Reply::json(401, "{}"), refused).await?;
    at_every_step(provider, "403", &Reply::json(403, "{}"), refused).await?;
    at_every_step(provider, "404", &Reply::json(404, "{}"), is_rejected).await
}

pub(super) async fn other_refusals_prove_nothing(provider: &dyn Provider) -> Finding {
    for status in [400, 402, 405, 409, 422, 451] {
        at_every_step(provider, &status.to_string(), &Reply::json(status, "{}"), proves_nothing).await?;
    }
    Ok(())
}

pub(super) async fn too_many_requests_says_when(provider: &dyn Provider) -> Finding {
    let reply = Reply::json(429, "{}").header("retry-after", "7");
    let limited = |outcome: &Outcome| {
        is_unreachable_for(outcome, Unreachable::RateLimited) && outcome.retry_after == Some(Duration::from_secs(7))
    };
    at_every_step(provider, "429 with Retry-After: 7", &reply, limited).await
}

pub(super) async fn faults_are_unreachable(provider: &dyn Provider) -> Finding {
    let unreachable = |outcome: &Outcome| matches!(outcome.verdict, Verdict::Unreachable(_));
    for status in [500, 502, 503, 504] {
        at_every_step(provider, &status.to_string(), &Reply::json(status, "{}"), unreachable).await?;
    }
    Ok(())
}

/// The place a redirect leads to is never asked: one request more than the good ones is sent, and no other host is
/// dialed.
pub(super) async fn redirects_are_not_followed(provider: &dyn Provider) -> Finding {
    for subject in subjects(provider) {
        for (step, status) in subject.steps().flat_map(|step| [301, 302, 307, 308].map(|status| (step, status))) {
            let reply = Reply::json(status, "{}").header("location", "http://169.254.169.254/latest/meta-data/");
            let service = subject.service_failing_at(step, reply).await;
            let context = LoopbackContext::to_service(&service);
            let outcome = subject.test(&context).await?;
            if !is_unreachable_for(&outcome, Unreachable::UpstreamError) {
                return Err(format!("{status} came to {}", named(&outcome)));
            }
            if context.dialed().iter().any(|dialed| dialed.host == "169.254.169.254") {
                return Err(format!("{status} was followed to another host"));
            }
            if service.received().len() > step + 1 {
                return Err(format!("{status} was followed"));
            }
        }
    }
    Ok(())
}

pub(super) async fn other_content_proves_nothing(provider: &dyn Provider) -> Finding {
    if subjects(provider).first().is_some_and(super::subject::Subject::status_is_proof) {
        return Ok(());
    }
    let page = Reply::Answer {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/html".to_owned())],
        body: "<html><title>Sign in</title></html>".into(),
    };
    at_every_step(provider, "a page in place of JSON", &page, proves_nothing).await?;
    for body in ["", "null", "[]", "{}", "\"ok\"", "{"] {
        at_every_step(provider, &format!("the body {body:?}"), &Reply::json(200, body), proves_nothing).await?;
    }
    at_every_step(provider, "no HTTP", &Reply::Garbage, proves_nothing).await
}

pub(super) async fn an_error_in_a_success_proves_nothing(provider: &dyn Provider) -> Finding {
    if subjects(provider).first().is_some_and(super::subject::Subject::status_is_proof) {
        return Ok(());
    }
    for body in [
        r#"{"ok": false, "error": "invalid_auth"}"#,
        r#"{"success": false, "errors": [{"code": 1000, "message": "Invalid token"}]}"#,
        r#"{"errors": [{"message": "Not authenticated"}], "data": null}"#,
        r#"{"error": {"code": 401, "message": "Unauthorized"}}"#,
        r#"{"status": "error", "message": "Unauthorized"}"#,
    ] {
        at_every_step(provider, "an error with status 200", &Reply::json(200, body), proves_nothing).await?;
    }
    Ok(())
}

pub(super) async fn a_slow_answer_is_a_timeout(provider: &dyn Provider) -> Finding {
    for subject in subjects(provider) {
        let last = subject.steps().len().saturating_sub(1);
        let service = subject.service_failing_at(last, Reply::SlowBody).await;
        let context = LoopbackContext::to_service(&service).within(Duration::from_millis(250));
        let outcome = subject.test(&context).await?;
        if !is_unreachable_for(&outcome, Unreachable::Timeout) {
            return Err(format!("came to {}", named(&outcome)));
        }
    }
    Ok(())
}

pub(super) async fn a_huge_answer_is_refused(provider: &dyn Provider) -> Finding {
    let refused = |outcome: &Outcome| is_unreachable_for(outcome, Unreachable::UpstreamError);
    at_every_step(provider, "a body of a megabyte", &Reply::HugeBody(1 << 20), refused).await
}

pub(super) async fn no_answer_is_unreachable(provider: &dyn Provider) -> Finding {
    let refused = |outcome: &Outcome| is_unreachable_for(outcome, Unreachable::Refused);
    at_every_step(provider, "a closed connection", &Reply::Hangup, refused).await?;
    for subject in subjects(provider) {
        for (error, expected) in [
            (NetworkError::Dns, Unreachable::Dns),
            (NetworkError::Refused, Unreachable::Refused),
            (NetworkError::BlockedAddress, Unreachable::BlockedAddress),
        ] {
            let outcome = subject.test(&LoopbackContext::failing(error)).await?;
            if !is_unreachable_for(&outcome, expected) {
                return Err(format!("`{error}` came to {}", named(&outcome)));
            }
        }
    }
    Ok(())
}

pub(super) async fn an_untrusted_certificate_is_refused(provider: &dyn Provider) -> Finding {
    let identity = crate::Authority::new().issue(&["untrusted.example"]);
    for subject in subjects(provider) {
        let good: Vec<Reply> = subject.answers().iter().map(Reply::from).collect();
        let service = Service::start_tls(good, Reply::json(500, "{}"), &identity).await;
        let context = LoopbackContext::to_service(&service).trusting_nobody();
        let outcome = subject.test(&context).await?;
        if context.secured().is_empty() {
            return Err("no TLS session was started".to_owned());
        }
        if !is_unreachable_for(&outcome, Unreachable::Tls) {
            return Err(format!("came to {}", named(&outcome)));
        }
    }
    Ok(())
}
