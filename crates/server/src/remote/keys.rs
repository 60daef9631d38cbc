//! `nora key`.

use serde_json::{Value, json};

use crate::StartError;
use crate::cli::commands::KeyCommand;
use crate::cli::print;
use crate::remote::{Call, Server, text};

pub(crate) fn run(command: KeyCommand) -> Result<(), StartError> {
    match command {
        KeyCommand::Create { name, scopes, workspace, expires_at, remote } => {
            let body = json!({ "name": name, "scopes": scopes, "workspace": workspace, "expires_at": expires_at });
            let call = Call { method: "POST", path: "api/keys", body: Some(without_nulls(body)) };
            let created = Server::of(&remote)?.call(&call)?;
            print(text(&created, "/key"));
        }
        KeyCommand::List { remote } => {
            let call = Call { method: "GET", path: "api/keys", body: None };
            let keys = Server::of(&remote)?.call(&call)?;
            for key in keys.as_array().into_iter().flatten() {
                let scopes = key.get("scopes").and_then(Value::as_array).into_iter().flatten();
                let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
                let (id, workspace, name) = (text(key, "/id"), text(key, "/workspace"), text(key, "/name"));
                print(&format!("{id}  {workspace:<12}  {name:<24}  {}", scopes.join(" ")));
            }
        }
        KeyCommand::Revoke { id, remote } => {
            let path = format!("api/keys/{id}");
            Server::of(&remote)?.call(&Call { method: "DELETE", path: &path, body: None })?;
            print(&format!("revoked {id}"));
        }
    }
    Ok(())
}

fn without_nulls(mut body: Value) -> Value {
    if let Value::Object(fields) = &mut body {
        fields.retain(|_, value| !value.is_null());
    }
    body
}
