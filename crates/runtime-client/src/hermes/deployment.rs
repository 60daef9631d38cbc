//! Handing a Hermes its MCP servers. It takes the whole set and tells no value, so servers of others cannot be kept.

use nora_integrations::ports::{FailureClass, PushError, RuntimeAddress};
use nora_mcp_servers::ports::Deployment;
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Hermes, Written, credential};
use crate::failure;
use crate::http::{Call, send};
use crate::servers::{Servers, is_ours, our_name};

const PATH: &str = "api/mcp/servers";

#[derive(Serialize)]
struct Document<'a> {
    servers: Servers<'a>,
}

#[derive(Deserialize)]
struct Listed {
    servers: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Hermes {
    pub(crate) async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), PushError> {
        if self.servers(address).await?.iter().any(|name| !is_ours(name)) {
            return Err(PushError::failed(FailureClass::Conflict));
        }
        let document = Document { servers: Servers { all: &deployment.servers, transport: None, ours: true } };
        let written: Written = self.ask(address, Method::PUT, Some(&document)).await?;
        let mut now = self.servers(address).await?;
        now.sort();
        let mut wanted: Vec<String> = deployment.servers.iter().map(|server| our_name(&server.name)).collect();
        wanted.sort();
        if written.ok && now == wanted { Ok(()) } else { Err(PushError::failed(FailureClass::BadAnswer)) }
    }

    async fn servers(&self, address: &RuntimeAddress) -> Result<Vec<String>, PushError> {
        let Listed { servers } = self.ask::<Document<'_>, _>(address, Method::GET, None).await?;
        Ok(servers.into_iter().map(|server| server.name).collect())
    }

    async fn ask<T, A>(&self, address: &RuntimeAddress, method: Method, body: Option<&T>) -> Result<A, PushError>
    where
        T: Serialize,
        A: for<'de> Deserialize<'de>,
    {
        let credential = address.token.as_ref().map(credential).transpose()?;
        let answer = send(&self.client, address, Call { method, path: PATH, credential, body }).await?;
        if answer.status != StatusCode::OK {
            return Err(failure::of_status(&answer));
        }
        serde_json::from_slice(&answer.body).map_err(|_| PushError::failed(FailureClass::BadAnswer))
    }
}
