//! Commands that go through a running server's API.

pub(crate) mod agents;
pub(crate) mod keys;
pub(crate) mod mcp;

use std::sync::Arc;
use std::time::Duration;

use nora_kernel::Secret;
use nora_kernel::address::{Endpoint, NetworkPolicy, Scheme};
use nora_net_guard::{Guard, GuardedClient, Limits, SystemResolver, Tls};
use serde_json::Value;

use crate::cli::commands::Remote;
use crate::{StartError, bootstrap, serve};

/// What one call may take.
const LIMITS: Limits = Limits { time: Duration::from_secs(30), body: 4 * 1024 * 1024 };

/// A server and the key that opens it.
struct Server {
    url: Endpoint,
    token: Secret,
}

/// A call to make.
struct Call<'a> {
    method: &'static str,
    path: &'a str,
    body: Option<Value>,
}

impl Server {
    fn of(remote: &Remote) -> Result<Self, StartError> {
        let url = Endpoint::parse(&remote.url, Scheme::Http)
            .map_err(|error| StartError::because("--url (NORA_URL) is refused", error))?;
        let file = remote.token_file.clone().unwrap_or_else(|| bootstrap::key_path(&remote.data_dir));
        let text = std::fs::read_to_string(&file).map_err(|error| {
            StartError::because(format!("no API key in {} (--token-file names another file)", file.display()), error)
        })?;
        Ok(Self { url, token: Secret::new(text.trim().to_owned()) })
    }

    /// Makes a call and returns the JSON of a success.
    fn call(&self, call: &Call<'_>) -> Result<Value, StartError> {
        nora_net_guard::install_default_provider();
        serve::block_on(self.send(call))
    }

    async fn send(&self, call: &Call<'_>) -> Result<Value, StartError> {
        let failed = |error| StartError::because(format!("{} did not answer", self.url), Box::new(error));
        let request = self.request(call)?;
        let answer = client()?.send(request, LIMITS).await.map_err(failed)?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        if answer.status.is_success() {
            return Ok(body);
        }
        let detail = body.get("detail").and_then(Value::as_str).unwrap_or("no reason given");
        Err(StartError::new(format!("the server answered {}: {detail}", answer.status.as_u16())))
    }

    fn request<R>(&self, call: &Call<'_>) -> Result<R, StartError>
    where
        R: TryFrom<http::Request<String>>,
        R::Error: std::error::Error + Send + Sync + 'static,
    {
        let refused = |error: nora_kernel::BoxError| StartError::because("the request cannot be made", error);
        let body = call.body.as_ref().map(ToString::to_string).unwrap_or_default();
        let (path, query) = call.path.split_once('?').map_or((call.path, None), |(path, query)| (path, Some(query)));
        let mut url = self.url.join(path);
        url.set_query(query);
        let request = http::Request::builder()
            .method(call.method)
            .uri(url.as_str())
            .header("authorization", format!("Bearer {}", self.token.expose()))
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| refused(Box::new(error)))?;
        request.try_into().map_err(|error| refused(Box::new(error)))
    }
}

/// Goes wherever the operator says; a key still travels in the clear to private addresses only.
fn client() -> Result<GuardedClient, StartError> {
    let refused = |error: nora_kernel::BoxError| StartError::because("no HTTP client could be made", error);
    let anywhere = "0.0.0.0/0,::/0".parse().map_err(|error| refused(Box::new(error)))?;
    let tls = Tls::new(&[]).map_err(|error| refused(Box::new(error)))?;
    let guard = Guard::new(NetworkPolicy::runtimes(anywhere), Arc::new(SystemResolver), tls);
    GuardedClient::new(guard).map_err(|error| refused(Box::new(error)))
}

/// A member of an object as text; empty where there is none.
fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
