//! Handing a gateway its MCP servers, which it takes over without a restart.

use nora_integrations::ports::{FailureClass, PushError, RuntimeAddress};
use nora_kernel::Secret;
use nora_mcp_servers::ports::Deployment;
use serde::Serialize;
use tokio::time::timeout;

use super::servers::{Configuration, Patch, PatchParams, Patched};
use super::session::{CallError, Session};
use super::{Openclaw, PUSH, gateway};
use crate::json;

/// How often a patch is made again because somebody else has changed the configuration in between.
const TRIES: u8 = 5;

#[derive(Serialize)]
struct NoParams {}

impl Openclaw {
    pub(crate) async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), PushError> {
        let gateway = gateway(address)?;
        let deployed = timeout(PUSH, async {
            let mut session = Session::open(&self.guard, gateway).await?;
            bring_about(&mut session, deployment).await?;
            session.close().await;
            Ok(())
        });
        deployed.await.unwrap_or(Err(PushError::failed(FailureClass::Timeout)))
    }
}

async fn bring_about(session: &mut Session, deployment: &Deployment) -> Result<(), PushError> {
    if !session.hello().takes_patches() {
        return Err(PushError::failed(FailureClass::UnsupportedRuntime));
    }
    for _ in 0..TRIES {
        let present: Configuration = session.call("config.get", &NoParams {}).await?;
        match patch(session, &present, deployment).await {
            Ok(patched) if patched.is_live() => return confirm(session, deployment).await,
            Ok(_) => return Err(PushError::failed(FailureClass::BadAnswer)),
            // Another change came first, or the patch is refused as such: the next look tells.
            Err(CallError::Refused(error)) if error.code == "INVALID_REQUEST" => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(PushError::failed(FailureClass::Rejected))
}

async fn patch(session: &mut Session, present: &Configuration, deployment: &Deployment) -> Result<Patched, CallError> {
    let internal = || CallError::Lost(PushError::failed(FailureClass::Internal));
    let patch = json::encode(&Patch::new(present, &deployment.servers)).ok_or_else(internal)?;
    let text = std::str::from_utf8(&patch).map_err(|_| internal())?;
    let raw = Secret::new(text.to_owned());
    let params = PatchParams { raw: &raw, base_hash: &present.hash, replace_paths: present.replaced() };
    session.call("config.patch", &params).await
}

async fn confirm(session: &mut Session, deployment: &Deployment) -> Result<(), PushError> {
    let now: Configuration = session.call("config.get", &NoParams {}).await?;
    if now.has_exactly(&deployment.servers) { Ok(()) } else { Err(PushError::failed(FailureClass::BadAnswer)) }
}
