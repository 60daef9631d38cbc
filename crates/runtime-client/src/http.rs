//! One exchange with a runtime's HTTP interface.

use std::time::Duration;

use nora_integrations::ports::{FailureClass, PushError, RuntimeAddress};
use nora_kernel::address::Endpoint;
use nora_net_guard::{Answer, GuardedClient, Limits};
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde::Serialize;

use crate::{body, failure, json};

/// The name, the connection (3 seconds of it at most), the request and the answer.
const TIME: Duration = Duration::from_secs(10);
const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// A request to be sent.
pub(crate) struct Call<'a, T> {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// A header with what opens the runtime.
    pub(crate) credential: Option<(HeaderName, HeaderValue)>,
    pub(crate) body: Option<&'a T>,
}

/// Sends a request to a runtime and returns its answer, whatever the status.
pub(crate) async fn send<T: Serialize>(
    client: &GuardedClient,
    address: &RuntimeAddress,
    call: Call<'_, T>,
) -> Result<Answer, PushError> {
    let internal = PushError::failed(FailureClass::Internal);
    let Call { method, path, credential, body } = call;
    let url = address.url.as_ref().ok_or(internal)?;
    let mut request = Request::new(method, Endpoint::join(url, path));
    request.headers_mut().extend(credential);
    if let Some(document) = body {
        let document = json::encode(document).ok_or(internal)?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body::of(document));
    }
    let answer = client.send(request, Limits { time: TIME, body: LARGEST_ANSWER }).await;
    let answer = answer.map_err(failure::of_network)?;
    tracing::debug!(agent = %address.agent, path, status = answer.status.as_u16(), "the runtime answered");
    Ok(answer)
}
