//! `nora agent` and `nora runtime`.

use std::time::Duration;

use serde_json::Value;

use crate::StartError;
use crate::cli::commands::{AgentCommand, RuntimeCommand};
use crate::cli::print;
use crate::remote::{Call, Server, text};

/// How often, and how many times, the state is asked for after a push was requested.
const ASK_EVERY: Duration = Duration::from_millis(200);
const ASKS: u32 = 50;

pub(crate) fn run(command: AgentCommand) -> Result<(), StartError> {
    match command {
        AgentCommand::List { remote } => {
            let call = Call { method: "GET", path: "api/agents?limit=200", body: None };
            let agents = Server::of(&remote)?.call(&call)?;
            for agent in agents.as_array().into_iter().flatten() {
                let (id, kind, name) = (text(agent, "/id"), text(agent, "/runtime/kind"), text(agent, "/name"));
                print(&format!("{id}  {kind:<9}  {name}"));
            }
            Ok(())
        }
        AgentCommand::Sync { agent, remote } => sync(&Server::of(&remote)?, &agent),
    }
}

pub(crate) fn runtime(command: RuntimeCommand) -> Result<(), StartError> {
    let RuntimeCommand::DeviceKey { agent, remote } = command;
    let path = format!("api/agents/{agent}/device-key");
    let device = Server::of(&remote)?.call(&Call { method: "GET", path: &path, body: None })?;
    print(&format!("device id   {}", text(&device, "/device_id")));
    print(&format!("public key  {}", text(&device, "/public_key")));
    Ok(())
}

fn sync(server: &Server, agent: &str) -> Result<(), StartError> {
    let path = format!("api/agents/{agent}/sync");
    server.call(&Call { method: "POST", path: &path, body: None })?;
    let ask = Call { method: "GET", path: &path, body: None };
    let mut view = server.call(&ask)?;
    for _ in 0..ASKS {
        if text(&view, "/state") != "pending" {
            break;
        }
        std::thread::sleep(ASK_EVERY);
        view = server.call(&ask)?;
    }
    show(&view);
    Ok(())
}

fn show(view: &Value) {
    let number = |pointer: &str| view.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
    let (desired, applied) = (number("/desired_generation"), number("/applied_generation"));
    print(&format!("{}  generation {applied} of {desired}", text(view, "/state")));
    if let Some(error) = view.get("last_error").filter(|error| !error.is_null()) {
        print(&format!("last error: {} ({})", text(error, "/detail"), text(error, "/code")));
    }
    for variable in view.get("variables").and_then(Value::as_array).into_iter().flatten() {
        let (name, state, reason) = (text(variable, "/name"), text(variable, "/state"), text(variable, "/reason"));
        print(&format!("{name:<40} {state:<16} {reason}"));
    }
    for removed in view.get("removed").and_then(Value::as_array).into_iter().flatten() {
        let (provider, label, purge) = (text(removed, "/provider"), text(removed, "/label"), text(removed, "/purge"));
        let at = text(removed, "/confirmed_at");
        print(&format!("removed {:<32} purge {purge:<10} {at}", format!("{provider} ({label})")));
    }
}
