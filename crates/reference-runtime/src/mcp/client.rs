//! As much of the Model Context Protocol as it takes to ask a server for its tools: JSON-RPC, one message a line.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

/// The revision of the protocol this client was written for. Servers answer with one of their own.
const PROTOCOL: &str = "2025-06-18";
/// The longest message that is read.
const LONGEST: u64 = 16 * 1024 * 1024;
/// How many pages of tools are asked for at most.
const PAGES: u64 = 100;

/// Why a server did not tell its tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ClientError {
    /// It ended, or does not listen any more.
    #[error("the server closed the connection")]
    Closed,
    /// It says what the protocol does not know.
    #[error("the server does not speak the protocol")]
    Protocol,
    /// It refuses the request.
    #[error("the server refuses the request")]
    Refused,
}

/// A connection over a child's standard streams.
pub(super) struct Client {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last_id: u64,
}

impl Client {
    pub(super) fn new((input, output): (ChildStdin, ChildStdout)) -> Self {
        Self { input, output: BufReader::new(output), last_id: 0 }
    }

    /// Shakes hands and lists the names of all tools.
    pub(super) async fn tools(&mut self) -> Result<Vec<String>, ClientError> {
        let client = json!({ "name": "nora-reference-runtime", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": PROTOCOL, "capabilities": {}, "clientInfo": client });
        let answer = self.request("initialize", hello).await?;
        if answer.get("capabilities").is_none() {
            return Err(ClientError::Protocol);
        }
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        if answer.pointer("/capabilities/tools").is_none() {
            return Ok(Vec::new());
        }
        self.list().await
    }

    /// Reads and forgets whatever else the server says, until it ends.
    pub(super) async fn drain(&mut self) {
        while self.line().await.is_ok() {}
    }

    async fn list(&mut self) -> Result<Vec<String>, ClientError> {
        let (mut tools, mut parameters) = (Vec::new(), json!({}));
        for _ in 0..PAGES {
            let page = self.request("tools/list", parameters).await?;
            let listed = page.get("tools").and_then(Value::as_array).ok_or(ClientError::Protocol)?;
            tools.extend(listed.iter().filter_map(|tool| tool.get("name")?.as_str().map(ToOwned::to_owned)));
            let Some(cursor) = page.get("nextCursor").filter(|cursor| cursor.is_string()) else { break };
            parameters = json!({ "cursor": cursor });
        }
        Ok(tools)
    }

    async fn request(&mut self, method: &str, parameters: Value) -> Result<Value, ClientError> {
        self.last_id += 1;
        let id = json!(self.last_id);
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters })).await?;
        loop {
            let line = self.line().await?;
            // Some servers greet on the wrong stream.
            let Ok(mut message) = serde_json::from_slice::<Value>(&line) else { continue };
            if message.get("method").is_some() {
                self.decline(&message).await?;
            } else if message.get("id") == Some(&id) {
                return message.get_mut("result").map(Value::take).ok_or(ClientError::Refused);
            }
        }
    }

    /// This client offers nothing, so every request of the server's is refused. Its notifications need no answer.
    async fn decline(&mut self, message: &Value) -> Result<(), ClientError> {
        let Some(id) = message.get("id") else { return Ok(()) };
        let answer = if message.get("method").is_some_and(|method| method == "ping") {
            json!({ "jsonrpc": "2.0", "id": id, "result": {} })
        } else {
            let error = json!({ "code": -32601, "message": "Method not found" });
            json!({ "jsonrpc": "2.0", "id": id, "error": error })
        };
        self.send(&answer).await
    }

    async fn send(&mut self, message: &Value) -> Result<(), ClientError> {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.map_err(|_| ClientError::Closed)?;
        self.input.flush().await.map_err(|_| ClientError::Closed)
    }

    async fn line(&mut self) -> Result<Vec<u8>, ClientError> {
        let mut line = Vec::new();
        let mut bounded = (&mut self.output).take(LONGEST);
        let read = bounded.read_until(b'\n', &mut line).await.map_err(|_| ClientError::Closed)?;
        match (read, line.last()) {
            (0, _) => Err(ClientError::Closed),
            (_, Some(b'\n')) => Ok(line),
            _ => Err(ClientError::Protocol),
        }
    }
}
