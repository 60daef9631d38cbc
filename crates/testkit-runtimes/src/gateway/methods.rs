//! What can be called.

use serde_json::{Map, Value, json};

use super::handshake::Guest;
use super::params;
use super::refusals as refuse;
use super::state::State;

const LARGEST_VALUE: usize = 65_536;
const NAME: &str = "invalid secrets.store.set params: at /name: must match pattern \
                    \"^(?:[A-Z][A-Z0-9_]{0,127}|github-setup-[a-f0-9]{32})$\"";
const EMPTY: &str = "Secret store value is empty. Secret entries require a value; check the command that produced it.";

pub(super) fn call(state: &mut State, guest: &Guest, method: &str, params: &Value) -> Result<Value, Value> {
    if !guest.is_admin {
        return Err(refuse::missing_scope());
    }
    if let Some(problem) = params::of_call(method, params) {
        return Err(refuse::invalid(problem));
    }
    match method {
        "secrets.store.list" if state.settings.store => Ok(state.list()),
        "secrets.store.set" if state.settings.store => limited(state, method).and_then(|()| set(state, guest, params)),
        "secrets.store.delete" if state.settings.store => limited(state, method).map(|()| delete(state, params)),
        "secrets.reload" if state.settings.store => Ok(json!({ "ok": true, "warningCount": 0 })),
        "config.get" => Ok(config(state)),
        "config.patch" => limited(state, method).and_then(|()| patch(state, params)),
        _ => Err(refuse::invalid(format!("unknown method: {method}"))),
    }
}

fn limited(state: &mut State, method: &str) -> Result<(), Value> {
    let limit = state.settings.writes_per_minute;
    state.count_write(method).map_err(|wait| refuse::over_limit(method, limit, wait))
}

fn is_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=128).contains(&name.len()) && name.as_bytes()[0].is_ascii_uppercase() && name.bytes().all(rest)
}

fn set(state: &mut State, guest: &Guest, params: &Value) -> Result<Value, Value> {
    let text = |name: &str| params[name].as_str().unwrap_or_default();
    let (name, value, kind) = (text("name"), text("value"), text("kind"));
    let hosts = params["allowedHosts"].as_array().cloned().unwrap_or_default();
    let hosts: Vec<String> = hosts.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    if !is_name(name) {
        return Err(refuse::invalid(NAME));
    }
    if value.len() > LARGEST_VALUE || !matches!(kind, "env" | "secret") || (kind == "env" && !hosts.is_empty()) {
        return Err(refuse::invalid("invalid secrets.store.set params"));
    }
    if kind == "secret" && value.is_empty() {
        return Err(refuse::invalid(EMPTY));
    }
    state.journal.write(format!("gateway: +{name}"));
    state.write(name, value, kind, hosts, &guest.name);
    Ok(json!({ "ok": true, "reloaded": false }))
}

fn delete(state: &mut State, params: &Value) -> Value {
    let name = params["name"].as_str().unwrap_or_default();
    state.journal.write(format!("gateway: -{name}"));
    state.entries.remove(name);
    json!({ "ok": true, "reloaded": false })
}

/// The configuration as it is shown: what servers are given is hidden.
fn config(state: &State) -> Value {
    let mut servers = state.servers.clone();
    for hidden in servers.values_mut().filter_map(|server| server.get_mut("env")).filter_map(Value::as_object_mut) {
        hidden.values_mut().for_each(|value| *value = json!("__OPENCLAW_REDACTED__"));
    }
    let mut config = json!({ "mcp": { "servers": servers } });
    if state.settings.egress_proxy {
        config["secrets"] = json!({ "egressProxy": { "enabled": true } });
    }
    json!({ "exists": true, "valid": true, "config": config, "hash": state.hash(), "issues": [], "warnings": [] })
}

/// A merge patch (RFC 7396) of the MCP servers, which are the part that is patched while a gateway runs.
fn patch(state: &mut State, params: &Value) -> Result<Value, Value> {
    if state.foreign_changes > 0 {
        state.foreign_changes -= 1;
        state.revision += 1;
    }
    match params["baseHash"].as_str() {
        None => return Err(refuse::invalid("config base hash required; re-run config.get and retry with baseHash")),
        Some(hash) if hash != state.hash() => {
            return Err(refuse::invalid("config changed since last load; re-run config.get and retry"));
        }
        Some(_) => {}
    }
    let raw: Value = serde_json::from_str(params["raw"].as_str().unwrap_or_default()).unwrap_or_default();
    let Some(servers) = raw["mcp"]["servers"].as_object() else {
        return Err(refuse::invalid("only mcp.servers is patched in this fake"));
    };
    let replaced: Vec<&str> =
        params["replacePaths"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, server) in servers {
        let present = state.servers.get(name).map(|present| &present["args"]).filter(|args| args.is_array());
        let path = format!("mcp.servers.{name}.args");
        let removes = present.is_some_and(|args| *args != server["args"]);
        if removes && !replaced.contains(&path.as_str()) {
            let text = format!("config.patch would remove entries from array path(s): {path}. Pass replacePaths");
            return Err(refuse::invalid(text));
        }
    }
    if servers.is_empty() {
        return Ok(json!({ "ok": true, "noop": true, "changedPaths": [] }));
    }
    let changed: Vec<String> = servers.keys().map(|name| format!("mcp.servers.{name}")).collect();
    for (name, server) in servers {
        match server.as_object() {
            None => drop(state.servers.remove(name)),
            Some(server) => merge(&mut state.servers, name, server),
        }
    }
    state.revision += 1;
    let applied = json!({ "requiresRestart": false });
    Ok(json!({ "ok": true, "hash": state.hash(), "changedPaths": changed,
        "sentinel": { "persisted": true, "payload": { "stats": applied } } }))
}

fn merge(servers: &mut Map<String, Value>, name: &str, patch: &Map<String, Value>) {
    let target = servers.entry(name.to_owned()).or_insert_with(|| json!({}));
    for (member, value) in patch {
        match (target.get_mut(member), value) {
            (_, Value::Null) => drop(target.as_object_mut().unwrap().remove(member)),
            (Some(Value::Object(present)), Value::Object(patch)) => {
                for (name, value) in patch {
                    if value.is_null() {
                        drop(present.remove(name));
                    } else {
                        drop(present.insert(name.clone(), value.clone()));
                    }
                }
            }
            _ => target[member] = value.clone(),
        }
    }
}
