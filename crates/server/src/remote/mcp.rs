//! `nora mcp`.

use nora_mcp_servers::Form;

use crate::StartError;
use crate::cli::commands::McpCommand;
use crate::cli::print;
use crate::remote::{Call, Server};

pub(crate) fn run(command: McpCommand) -> Result<(), StartError> {
    let McpCommand::Config { agent, form, remote } = command;
    let reader = form.map(Form::as_str).unwrap_or_default();
    let path = format!("api/agents/{agent}/deployment?for={reader}");
    let found = Server::of(&remote)?.call(&Call { method: "GET", path: &path, body: None })?;
    let document = found.get("document").ok_or_else(|| StartError::new("the server shows no document"))?;
    print(&format!("{document:#}"));
    Ok(())
}
