//! Kind `nora`: this project's own HTTP contract.

mod answer;
mod deployment;
mod document;

use std::time::Duration;

use nora_integrations::ports::{
    Applied, FailureClass, Health, Push, PushError, RuntimeAddress, Variable, VariableState,
};
use nora_kernel::address::Endpoint;
use nora_mcp_servers::ports::{DeployError, Deployment};
use nora_net_guard::{Answer, GuardedClient, Limits};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Body, Method, Request, StatusCode};
use zeroize::Zeroizing;

use crate::{body, failure};

/// A whole exchange: the name, the connection (3 seconds of it at most), the request and the answer.
const LIMITS: Limits = Limits { time: Duration::from_secs(10), body: 64 * 1024 };

pub(crate) struct Nora {
    client: GuardedClient,
}

impl Nora {
    pub(crate) const fn new(client: GuardedClient) -> Self {
        Self { client }
    }

    pub(crate) async fn apply(&self, address: &RuntimeAddress, push: &Push) -> Result<Applied, PushError> {
        let document = document::encode(push).ok_or(PushError::failed(FailureClass::Internal))?;
        let answer = self.exchange(address, Method::POST, "integrations/sync", Some(body::of(document))).await?;
        let confirmed = match answer.status {
            StatusCode::OK => answer::confirms(&answer.body, push),
            StatusCode::CONFLICT => match answer::current(&answer.body) {
                Some(current) if current > push.generation => return Err(PushError::Superseded { current }),
                _ => false,
            },
            _ => return Err(failure::of_status(&answer)),
        };
        if !confirmed {
            return Err(PushError::failed(FailureClass::BadAnswer));
        }
        let live =
            |name: &nora_kernel::EnvName| Variable { name: name.clone(), state: VariableState::Live, reason: None };
        Ok(Applied { variables: push.env.iter().map(|(name, _)| live(name)).collect() })
    }

    pub(crate) async fn health(&self, address: &RuntimeAddress) -> Result<Health, PushError> {
        let answer = self.exchange(address, Method::GET, "health", None).await?;
        if answer.status != StatusCode::OK {
            return Err(failure::of_status(&answer));
        }
        answer::health(&answer.body).ok_or(PushError::failed(FailureClass::BadAnswer))
    }

    pub(crate) async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), DeployError> {
        let (document, digest) = deployment::encode(deployment).ok_or(DeployError::of(FailureClass::Internal))?;
        let answer = self.exchange(address, Method::POST, "deployment", Some(body::of(document))).await;
        let answer = answer.map_err(failure::of_deployment)?;
        if answer.status != StatusCode::OK {
            return Err(failure::of_deployment(failure::of_status(&answer)));
        }
        if answer::applies(&answer.body, &digest) { Ok(()) } else { Err(DeployError::of(FailureClass::BadAnswer)) }
    }

    async fn exchange(
        &self,
        address: &RuntimeAddress,
        method: Method,
        path: &str,
        body: Option<Body>,
    ) -> Result<Answer, PushError> {
        let url = address.url.as_ref().ok_or(PushError::failed(FailureClass::Internal))?;
        let mut request = Request::new(method, Endpoint::join(url, path));
        request.headers_mut().insert(AUTHORIZATION, authorization(address)?);
        if let Some(body) = body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body);
        }
        let answer = self.client.send(request, LIMITS).await.map_err(failure::of_network)?;
        tracing::debug!(agent = %address.agent, path, status = answer.status.as_u16(), "the runtime answered");
        Ok(answer)
    }
}

fn authorization(address: &RuntimeAddress) -> Result<HeaderValue, PushError> {
    let token = address.token.as_ref().ok_or(PushError::failed(FailureClass::Auth))?;
    let text = Zeroizing::new(format!("Bearer {}", token.expose()));
    let mut value = HeaderValue::from_str(&text).map_err(|_| PushError::failed(FailureClass::Auth))?;
    value.set_sensitive(true);
    Ok(value)
}
