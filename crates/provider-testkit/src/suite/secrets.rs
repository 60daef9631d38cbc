//! Secrets stay secret, whatever a service sends back.

use nora_provider_sdk::{Outcome, Provider};
use serde_json::Value;

use super::Finding;
use super::subject::{Subject, subjects};
use crate::{LoopbackContext, Reply, Service};

/// Services that repeat what they were told must not make an outcome repeat it too.
pub(super) async fn secrets_are_never_shown(provider: &dyn Provider) -> Finding {
    for subject in subjects(provider) {
        for secret in secrets(&subject) {
            for reply in parrots(&secret) {
                for step in subject.steps() {
                    let outcome = subject.test_failing_at(step, reply.clone()).await?;
                    shows_none(&subject, &outcome)?;
                }
            }
            repeated_in_a_success(&subject, &secret).await?;
        }
        let unreachable = subject.test(&LoopbackContext::failing(nora_provider_sdk::NetworkError::Dns)).await?;
        shows_none(&subject, &unreachable)?;
    }
    Ok(())
}

fn secrets(subject: &Subject<'_>) -> Vec<String> {
    let (_, secrets) = subject.provider.manifest().split(&subject.case.values);
    secrets.iter().map(|(_, secret)| secret.expose().to_owned()).filter(|secret| !secret.is_empty()).collect()
}

/// Refusals that repeat the secret in their bodies and headers.
fn parrots(secret: &str) -> Vec<Reply> {
    let body = serde_json::json!({
        "ok": false, "error": secret, "errors": [{ "message": secret, "code": secret }], "message": secret,
        "name": secret, "login": secret, "username": secret, "email": secret, "detail": secret,
    });
    let header = secret.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ').then_some(secret);
    let statuses = [200, 302, 400, 401, 403, 404, 429, 500];
    let reply = |status| {
        let reply = Reply::json(status, body.to_string());
        match header {
            Some(secret) => reply.header("x-echo", secret).header("retry-after", secret).header("location", secret),
            None => reply,
        }
    };
    statuses.map(reply).to_vec()
}

/// Puts the secret in the place of each text of the last good answer.
async fn repeated_in_a_success(subject: &Subject<'_>, secret: &str) -> Finding {
    let Some((last, before)) = subject.answers().split_last() else { return Ok(()) };
    let Ok(good) = serde_json::from_slice::<Value>(&last.body) else { return Ok(()) };
    for pointer in texts(&good, String::new()) {
        let mut told = good.clone();
        if let Some(text) = told.pointer_mut(&pointer) {
            *text = Value::String(secret.to_owned());
        }
        let replies = before.iter().map(Reply::from).chain([Reply::json(last.status, told.to_string())]);
        let service = Service::start(replies.collect::<Vec<_>>(), Reply::json(500, "{}")).await;
        let outcome = subject.test(&LoopbackContext::to_service(&service)).await?;
        shows_none(subject, &outcome)?;
    }
    Ok(())
}

/// Pointers to every text in a document.
fn texts(value: &Value, at: String) -> Vec<String> {
    match value {
        Value::String(_) => vec![at],
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| texts(item, format!("{at}/{index}"))).collect()
        }
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| texts(member, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn shows_none(subject: &Subject<'_>, outcome: &Outcome) -> Finding {
    let shown = format!("{outcome:?}");
    if secrets(subject).iter().any(|secret| shown.contains(secret.as_str())) {
        return Err(format!("{}: an outcome shows a secret", subject.case.name));
    }
    Ok(())
}
