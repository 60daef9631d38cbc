//! A real gateway, and the environment of a real agent's commands.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use e2e::{Api, Installation, Store, Stub, eventually_within, free_port, run_to_end};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{LONGEST, Program};
use crate::{model, place, proved};

const SECRET: &str = "real-gateway-secret-0123456789abcdef";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

struct Gateway {
    folder: TempDir,
    port: u16,
    program: Program,
    _model: Stub,
}

impl Gateway {
    async fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let model = model::start("LINEAR_API_KEY").await;
        let remote = place::remote().is_some();
        let config = json!({
            "gateway": { "mode": "local", "port": port, "bind": if remote { "lan" } else { "loopback" },
                "auth": { "mode": "token", "token": SECRET },
                "http": { "endpoints": { "chatCompletions": { "enabled": true } } } },
            "models": { "providers": { "fake": { "baseUrl": format!("{}/v1", model.url()), "apiKey": "k",
                "api": "openai-completions",
                "models": [{ "id": "m", "name": "m", "contextWindow": 100_000, "maxTokens": 4096 }] } } },
            "agents": { "defaults": { "model": { "primary": "fake/m" } } },
            "tools": { "exec": { "host": "gateway", "security": "full", "ask": "off" } },
        });
        std::fs::create_dir(folder.path().join("home")).unwrap();
        std::fs::write(folder.path().join("openclaw.json"), config.to_string()).unwrap();
        let program = Program::start(command(&folder, &["gateway", "run"]), &folder.path().join("log"));
        let mut gateway = Self { folder, port, program, _model: model };
        let ready = format!("{}/readyz", gateway.http());
        gateway.program.wait_for(&ready).await;
        gateway
    }

    fn http(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// As another machine sees it, where this one has an address that counts as that.
    fn url(&self) -> String {
        let host = place::remote().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        format!("ws://{host}:{}", self.port)
    }

    /// Its own command line.
    async fn run(&self, arguments: &[&str]) -> String {
        run_to_end(command(&self.folder, arguments), LONGEST).await.success()
    }

    /// The SHA-256 that an agent's command finds in its environment, in a turn of its own.
    async fn hash(&self) -> String {
        let api = Api::new(self.http(), SECRET);
        let body = json!({ "model": "openclaw/main", "messages": [{ "role": "user", "content": "go" }] });
        let turn = api.post("/v1/chat/completions", body).await.json(200);
        let said = turn["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
        let mut words = said.split(|character: char| !character.is_ascii_hexdigit());
        words.rfind(|word| word.len() == 64).unwrap_or_else(|| panic!("no hash: {said}")).to_owned()
    }

    /// Approves the device, as an operator does.
    async fn pair(&self, device: &str) {
        let listed = self.run(&["devices", "list", "--json", "--token", SECRET]).await;
        let listed: Value = serde_json::from_str(&listed[listed.find('{').unwrap()..]).unwrap();
        let pending = listed["pending"].as_array().unwrap();
        let request = pending.iter().find(|request| request["deviceId"] == device).unwrap();
        self.run(&["devices", "approve", request["requestId"].as_str().unwrap(), "--token", SECRET]).await;
    }
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let path = |name: &str| folder.path().join(name);
    let node: PathBuf = place::node();
    let search = format!("{}:/usr/bin:/bin", node.parent().unwrap().display());
    let mut command = Command::new(node);
    command.arg(place::openclaw().join("openclaw.mjs")).args(arguments).env_clear().env("PATH", search);
    command.env("HOME", path("home")).env("OPENCLAW_STATE_DIR", path("state"));
    command.env("OPENCLAW_CONFIG_PATH", path("openclaw.json")).current_dir(folder.path());
    command
}

fn sha256(text: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    said.split(' ').next().unwrap().to_owned()
}

/// The boot ids that the gateway gave in the handshakes of pushes. It changes with every restart, also within a process.
fn boots(log: &str) -> Vec<String> {
    let ids = log.split("boot=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut ids: Vec<String> = ids.map(ToOwned::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

fn shown(view: &Value) -> String {
    let variables = view["variables"].as_array().unwrap();
    let names = variables.iter().map(|variable| format!("{} {}", variable["name"], variable["state"]));
    format!("{} {}", view["state"], names.collect::<Vec<_>>().join(", ")).replace('"', "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_gateway_receives_rotates_and_loses_a_linear_key() {
    let installation = Installation::new(Store::Sqlite).await;
    let (server, mut gateway) = tokio::join!(installation.start(), Gateway::start());
    let api = installation.api();
    let pid = gateway.program.pid();
    let version = gateway.run(&["--version"]).await;
    proved(&format!("{} is ready as process {pid}", version.trim()));
    assert_eq!(gateway.hash().await, EMPTY);
    proved("before anything is connected, a command of its agent finds no LINEAR_API_KEY");

    let body = json!({ "name": "Real", "runtime": { "kind": "openclaw" },
        "gateway": { "url": gateway.url(), "token": SECRET } });
    let created = api.post("/api/agents", body).await.json(201);
    let agent = created["id"].as_str().unwrap();
    let device = created["gateway"]["device_id"].as_str().unwrap();
    if place::remote().is_some() {
        let view = api.wait_failing(agent, "not_paired").await;
        proved(&format!("an unknown device is refused: {}", view["last_error"]["detail"]));
        gateway.pair(device).await;
        api.request_sync(agent).await;
    }
    api.wait_in_sync(agent).await;

    let integrations = format!("/api/agents/{agent}/integrations");
    let made = api.post(&integrations, json!({ "provider": "linear", "token": "lin_api_first" })).await.json(201);
    let view = api.wait_in_sync(agent).await;
    assert_eq!(gateway.hash().await, sha256("lin_api_first"));
    proved(&format!(
        "connected by POST: the agent's command has SHA-256 {}; sync: {}",
        sha256("lin_api_first"),
        shown(&view)
    ));

    let integration = format!("{integrations}/{}", made["id"].as_str().unwrap());
    api.patch(&integration, json!({ "token": "lin_api_second" })).await.json(200);
    api.wait_in_sync(agent).await;
    assert_eq!(gateway.hash().await, sha256("lin_api_second"));
    proved(&format!("rotated by PATCH: the agent's command has SHA-256 {}", sha256("lin_api_second")));

    api.delete(&integration).await.json(200);
    let what = "a confirmed purge";
    let view = eventually_within(Duration::from_mins(1), what, async || {
        Some(api.sync(agent).await).filter(|view| view["removed"][0]["purge"] == "confirmed")
    })
    .await;
    assert_eq!(gateway.hash().await, EMPTY);
    proved(&format!("removed by DELETE: the agent's command finds nothing; purge: {}", view["removed"][0]["purge"]));

    let boots = boots(&installation.logs());
    assert_eq!((boots.len(), gateway.program.pid()), (1, pid), "{boots:?}");
    proved(&format!("no restart: every push met process {pid} under the boot id {}", boots.join(" ")));
    assert!(!installation.logs().contains("lin_api_"), "a value was logged");
    server.stop().await;
}
