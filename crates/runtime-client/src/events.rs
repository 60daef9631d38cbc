//! Webhook events, as every kind of runtime that takes any takes them: `POST /channels/receive`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_agents::RuntimeKind;
use nora_integrations::ports::{FailureClass, PushError};
use nora_kernel::address::Endpoint;
use nora_net_guard::{Answer, ClientError, Guard, GuardedClient, Limits};
use nora_webhooks::Headers;
use nora_webhooks::ports::{DeliveryError, DeliveryFailureClass, Message, Recipient, RuntimeDelivery};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, StatusCode};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use zeroize::Zeroizing;

use crate::failure;

/// A whole exchange. A runtime that takes an event to think about it answers first and thinks then.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), body: 64 * 1024 };

/// Hands webhook events to runtimes of kind `nora` and to sidecars.
pub struct RuntimeEvents {
    client: GuardedClient,
}

impl RuntimeEvents {
    /// Speaks to runtimes through `guard`, whose policy says where runtimes may live.
    ///
    /// # Errors
    ///
    /// The HTTP client could not be built.
    pub fn new(guard: Guard) -> Result<Self, ClientError> {
        Ok(Self { client: GuardedClient::new(guard)? })
    }
}

#[async_trait]
impl RuntimeDelivery for RuntimeEvents {
    async fn deliver(&self, recipient: &Recipient, message: &Message) -> Result<(), DeliveryError> {
        let answer = match request(recipient, message) {
            Ok(request) => self.client.send(request, LIMITS).await.map_err(failure::of_network).map_err(of_push)?,
            Err(class) => return Err(DeliveryError { class, retry_after: None }),
        };
        tracing::debug!(agent = %recipient.agent, status = answer.status.as_u16(), "the runtime answered an event");
        confirm(&answer)
    }
}

fn request(recipient: &Recipient, message: &Message) -> Result<Request, DeliveryFailureClass> {
    let url = match recipient.kind {
        RuntimeKind::Nora | RuntimeKind::Sidecar | RuntimeKind::Openclaw => recipient.url.as_ref(),
        RuntimeKind::Hermes => None,
    };
    let url = url.ok_or(DeliveryFailureClass::UnsupportedRuntime)?;
    let mut request = Request::new(Method::POST, Endpoint::join(url, "channels/receive"));
    // Sidecars know no tokens, and are sent none.
    if recipient.kind == RuntimeKind::Nora {
        request.headers_mut().insert(AUTHORIZATION, authorization(recipient)?);
    }
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let document = serde_json::to_vec(&Document::of(message)).map_err(|_| DeliveryFailureClass::Internal)?;
    *request.body_mut() = Some(document.into());
    Ok(request)
}

fn authorization(recipient: &Recipient) -> Result<HeaderValue, DeliveryFailureClass> {
    let token = recipient.token.as_ref().ok_or(DeliveryFailureClass::Auth)?;
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| DeliveryFailureClass::Auth)?;
    value.set_sensitive(true);
    Ok(value)
}

fn confirm(answer: &Answer) -> Result<(), DeliveryError> {
    #[derive(Deserialize)]
    struct Confirmation {
        received: bool,
    }
    if answer.status != StatusCode::OK {
        return Err(of_push(failure::of_status(answer)));
    }
    match serde_json::from_slice(&answer.body) {
        Ok(Confirmation { received: true }) => Ok(()),
        _ => Err(DeliveryError { class: DeliveryFailureClass::BadAnswer, retry_after: None }),
    }
}

/// A failure of a push, as one of a delivery: the same things go wrong.
fn of_push(error: PushError) -> DeliveryError {
    let PushError::Failed { class, retry_after } = error else {
        return DeliveryError { class: DeliveryFailureClass::BadAnswer, retry_after: None };
    };
    let class = match class {
        FailureClass::Dns => DeliveryFailureClass::Dns,
        FailureClass::Refused => DeliveryFailureClass::Refused,
        FailureClass::Timeout => DeliveryFailureClass::Timeout,
        FailureClass::Tls => DeliveryFailureClass::Tls,
        FailureClass::BlockedAddress => DeliveryFailureClass::BlockedAddress,
        FailureClass::Auth => DeliveryFailureClass::Auth,
        FailureClass::RateLimited => DeliveryFailureClass::RateLimited,
        FailureClass::Rejected | FailureClass::ServerError => DeliveryFailureClass::RuntimeError,
        _ => DeliveryFailureClass::BadAnswer,
    };
    DeliveryError { class, retry_after }
}

/// The event as it travels.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    event_id: String,
    channel_id: String,
    channel_type: &'a str,
    delivery_id: Option<&'a str>,
    event_type: Option<&'a str>,
    content: &'a str,
    sender: Option<&'a str>,
    metadata: Metadata,
    headers: BTreeMap<&'a str, String>,
    body: String,
    received_at: String,
    replay: bool,
}

#[derive(Serialize)]
struct Metadata {
    verdict: &'static str,
}

impl<'a> Document<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            event_id: message.event.to_string(),
            channel_id: message.channel.to_string(),
            channel_type: message.kind.as_str(),
            delivery_id: message.delivery_id.as_deref(),
            event_type: message.event_type.as_deref(),
            content: &message.content,
            sender: message.sender.as_deref(),
            metadata: Metadata { verdict: message.verdict.as_str() },
            headers: by_name(&message.headers),
            body: STANDARD.encode(&message.body),
            received_at: message.received_at.to_string(),
            replay: message.replay,
        }
    }
}

/// Headers as one object. The values of a name that came more than once stand in order, separated by commas.
fn by_name(headers: &Headers) -> BTreeMap<&str, String> {
    let mut named: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter() {
        let value = String::from_utf8_lossy(value);
        named.entry(name).and_modify(|all| all.extend([", ", &value])).or_insert_with(|| value.into_owned());
    }
    named
}
