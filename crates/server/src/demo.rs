//! What `nora demo` adds to `nora serve`: a runtime in this process, the agent of the API reference, and the lines to
//! paste.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nora_agents::ports::StoredAgent;
use nora_agents::{AgentName, ChangeAgent, CreateAgent, Patch, RuntimeChange, RuntimeInput, RuntimeKind};
use nora_kernel::audit::Actor;
use nora_kernel::{AgentId, BoxError, Caller, ChannelId, Entropy, RequestId, Scope, Scopes, Secret, Workspace};
use nora_reference_runtime::{Config, RunningRuntime};
use nora_vault_ring::SystemEntropy;
use nora_webhooks::{ChannelError, CreateChannel, Verification};

use crate::settings::Settings;
use crate::wiring::Application;
use crate::{StartError, bootstrap, cli};

/// The agent of the API reference page.
const AGENT: &str = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
/// The channel of the API reference page.
const CHANNEL: &str = "d5e6f7a8-b9c0-1234-defa-123456789012";

/// The runtime of the demo; it stops when this is dropped.
pub(crate) struct Demo {
    _runtime: RunningRuntime,
}

impl Demo {
    /// Starts the runtime, registers the agent or finds the one a former run registered, and prints what to paste.
    pub(crate) async fn start(application: &Application, settings: &Settings) -> Result<Self, StartError> {
        let token_file = settings.data_dir.join("demo-runtime-token");
        let token =
            token(&token_file).map_err(|error| StartError::because("no token for the demo's runtime", error))?;
        let caller = caller(application);
        let agent: AgentId = AGENT.parse().map_err(failed)?;
        let known = application.agents.find(&caller, agent).await.map_err(failed)?;
        let runtime = start_runtime(known.as_ref(), &token)?;
        match known {
            None => register(application, &caller, agent, &runtime, token).await?,
            Some(known) => point(application, &caller, &known, &runtime, token).await?,
        }
        open_channel(application, &caller, agent).await?;
        cli::print(&lines(settings, &runtime, &token_file));
        Ok(Self { _runtime: runtime })
    }
}

fn caller(application: &Application) -> Caller {
    Caller {
        actor: Actor::System,
        workspace: Workspace::default_workspace(),
        scopes: Scopes::NONE.with(Scope::Admin),
        request: RequestId::from_uuid(application.ids.next()),
    }
}

/// Listens where the last run did, so that the agent need not move; anywhere if that is taken.
fn start_runtime(known: Option<&StoredAgent>, token: &Secret) -> Result<RunningRuntime, StartError> {
    let last = known.and_then(|known| known.agent.runtime.url.as_ref());
    let last: Option<SocketAddr> = last.and_then(|url| format!("{}:{}", url.host(), url.port()).parse().ok());
    if let Some(listen) = last {
        let config = Config { listen, ..Config::on_loopback(token.duplicate()) };
        if let Ok(runtime) = RunningRuntime::start(config) {
            return Ok(runtime);
        }
    }
    RunningRuntime::start(Config::on_loopback(token.duplicate())).map_err(failed)
}

async fn register(
    application: &Application,
    caller: &Caller,
    agent: AgentId,
    runtime: &RunningRuntime,
    token: Secret,
) -> Result<(), StartError> {
    let name: AgentName = "Demo agent".parse().map_err(failed)?;
    let runtime = RuntimeInput { kind: RuntimeKind::Nora, url: Some(runtime.url()), token: Some(token) };
    let request = CreateAgent { id: Some(agent), name, runtime, gateway: None, workspace: None, idempotency: None };
    application.agents.create(caller, request).await.map_err(failed)?;
    Ok(())
}

/// Tells a known agent where its runtime is now, and asks for a push and a redeploy: the runtime has just started with
/// nothing.
async fn point(
    application: &Application,
    caller: &Caller,
    known: &StoredAgent,
    runtime: &RunningRuntime,
    token: Secret,
) -> Result<(), StartError> {
    let change = RuntimeChange { kind: None, url: Patch::Set(runtime.url()), token: Some(token) };
    let request = ChangeAgent { runtime: Some(change), ..ChangeAgent::default() };
    application.agents.change(caller, known.agent.id, request).await.map_err(failed)?;
    application.agents.request_sync(caller, known.agent.id).await.map_err(failed)?;
    application.mcp_servers.request_redeploy(caller, known.agent.id).await.map_err(failed)?;
    Ok(())
}

/// Makes the channel, or finds the one a former run made. What is posted to it is taken unseen, as the reference page
/// posts it.
async fn open_channel(application: &Application, caller: &Caller, agent: AgentId) -> Result<(), StartError> {
    let id: ChannelId = CHANNEL.parse().map_err(failed)?;
    let channels = &application.webhooks.channels;
    match channels.find(caller, agent, id).await {
        Ok(_) => return Ok(()),
        Err(ChannelError::NotFound) => {}
        Err(ChannelError::Unavailable(error)) => return Err(failed(error)),
    }
    let request = CreateChannel {
        agent,
        id: Some(id),
        kind: Some("webhook".to_owned()),
        name: Some("Demo channel".parse().map_err(failed)?),
        config: serde_json::Map::new(),
        verification: Some(Verification::None),
        idempotency: None,
    };
    channels.create(caller, request).await.map_err(failed)?;
    Ok(())
}

/// The token of the last run, or a new one.
fn token(file: &Path) -> Result<Secret, BoxError> {
    if let Ok(text) = std::fs::read_to_string(file) {
        return Ok(Secret::new(text.trim().to_owned()));
    }
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    SystemEntropy::new().fill(bytes.as_mut_slice())?;
    let token = Secret::new(hex::encode(*bytes));
    bootstrap::write_secret(file, &token)?;
    Ok(token)
}

fn failed(error: impl Into<BoxError>) -> StartError {
    StartError::because("the demo could not be set up", error)
}

/// The reference page's calls, with this server's address and this demo's files.
fn lines(settings: &Settings, runtime: &RunningRuntime, token_file: &Path) -> String {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let quoted = |path: PathBuf| format!("'{}'", absolute(path).display().to_string().replace('\'', r"'\''"));
    let key = quoted(bootstrap::key_path(&settings.data_dir));
    let runtime_token = quoted(token_file.to_path_buf());
    let public = settings.public_url.as_str().trim_end_matches('/');
    let api = format!("{public}/api");
    let runtime = runtime.url();
    format!(
        r##"
The API is at {api}, its reference at {public}/docs. Paste these lines into a shell:

TOKEN=$(cat {key})

# what can be connected
curl -s "{api}/integrations/catalog?category=communication" -H "Authorization: Bearer $TOKEN"

# connect Slack to the demo agent
curl -s -X POST {api}/agents/{AGENT}/integrations -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{"provider":"slack","token":"xoxb-your-slack-bot-token","config":{{"channel":"#alerts"}}}}'

# the agent's runtime has it: names, and a digest of each value
curl -s {runtime}/env -H "Authorization: Bearer $(cat {runtime_token})"

# connect GitLab, switch its MCP server on, and hand it to the runtime, which starts it (with npx) and lists its tools
curl -s -X POST {api}/agents/{AGENT}/integrations -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{"provider":"gitlab","token":"glpat-your-gitlab-token"}}'
curl -s -X PUT {api}/agents/{AGENT}/mcp-servers -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{"providers":["gitlab"]}}'
curl -s -X POST {api}/agents/{AGENT}/redeploy -H "Authorization: Bearer $TOKEN"
curl -s {runtime}/mcp -H "Authorization: Bearer $(cat {runtime_token})"

# list the connections (no token in sight), test the first one, see the sync, remove it
curl -s {api}/agents/{AGENT}/integrations -H "Authorization: Bearer $TOKEN"
IID=$(curl -s {api}/agents/{AGENT}/integrations -H "Authorization: Bearer $TOKEN" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
curl -s -X POST {api}/agents/{AGENT}/integrations/$IID/test -H "Authorization: Bearer $TOKEN"
curl -s {api}/agents/{AGENT}/sync -H "Authorization: Bearer $TOKEN"
curl -s -X DELETE {api}/agents/{AGENT}/integrations/$IID -H "Authorization: Bearer $TOKEN"

# send a webhook; the agent's runtime has it, and the channel remembers it
curl -s -X POST {api}/webhooks/{CHANNEL} -H "Content-Type: application/json" -d '{{"event":"push","ref":"refs/heads/main"}}'
curl -s {runtime}/events -H "Authorization: Bearer $(cat {runtime_token})"
curl -s {api}/agents/{AGENT}/channels/{CHANNEL}/events -H "Authorization: Bearer $TOKEN"
"##,
    )
}
