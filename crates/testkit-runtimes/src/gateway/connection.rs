//! One connection, from the challenge to the close.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::handshake::{Challenge, Guest, Turned, admit};
use super::methods::call;
use super::params;
use super::refusals as refuse;
use super::state::State;

type Socket = WebSocketStream<TcpStream>;

/// The code of a gateway that goes away to come back.
const RESTARTING: u16 = 1012;

pub(super) async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    // Whoever is gone is not told anything.
    let Ok(mut socket) = accept_hdr_async(stream, check_upgrade).await else { return };
    let _ = talk(&mut socket, &state).await;
}

/// A browser's origin and the traces of a proxy are refused.
#[expect(clippy::result_large_err, reason = "the library's own type")]
fn check_upgrade(request: &Request, response: Response) -> Result<Response, ErrorResponse> {
    let refused = ["origin", "x-forwarded-for"].iter().any(|name| request.headers().contains_key(*name));
    if !refused {
        return Ok(response);
    }
    let mut forbidden = ErrorResponse::new(None);
    *forbidden.status_mut() = StatusCode::FORBIDDEN;
    Err(forbidden)
}

async fn talk(socket: &mut Socket, state: &Mutex<State>) -> Result<(), Error> {
    let challenge = {
        let mut state = state.lock().unwrap();
        state.connections += 1;
        Challenge { nonce: format!("e65be4dc-091a-4ad8-8dd9-{:012}", state.connections), ts: 1_795_437_988_329 }
    };
    let payload = json!({ "nonce": challenge.nonce, "ts": challenge.ts, "capabilities": ["model-catalog-snapshot"] });
    say(socket, &json!({ "type": "event", "event": "connect.challenge", "payload": payload })).await?;
    let Some(first) = hear(socket, state).await else { return Ok(()) };
    let admitted = admit(&mut state.lock().unwrap(), &first, &challenge);
    match admitted {
        Ok((guest, hello)) => {
            answer(socket, &first, &Ok(hello)).await?;
            // Gateways talk about themselves all the time.
            say(socket, &json!({ "type": "event", "event": "tick", "payload": { "ts": 1 }, "seq": 1 })).await?;
            serve_calls(socket, state, &guest).await
        }
        Err(Turned(error, code)) => {
            if let Some(error) = error {
                answer(socket, &first, &Err(error)).await?;
            }
            close(socket, code).await
        }
    }
}

async fn serve_calls(socket: &mut Socket, state: &Mutex<State>, guest: &Guest) -> Result<(), Error> {
    while let Some(frame) = hear(socket, state).await {
        if is_restart(&mut state.lock().unwrap()) {
            let payload = json!({ "reason": "gateway restarting", "restartExpectedMs": 1500 });
            say(socket, &json!({ "type": "event", "event": "shutdown", "payload": payload })).await?;
            return close(socket, RESTARTING).await;
        }
        let method = frame["method"].as_str().unwrap_or_default().to_owned();
        let result = if let Some(problem) = params::of_frame(&frame) {
            Err(refuse::invalid(problem))
        } else {
            let mut state = state.lock().unwrap();
            state.calls.push(method.clone());
            call(&mut state, guest, &method, &frame["params"])
        };
        answer(socket, &frame, &result).await?;
        // A second answer with the same id, as some methods give one; it says nothing new and means nothing.
        let again = json!({ "type": "res", "id": frame["id"], "ok": true, "payload": { "status": "final" } });
        say(socket, &again).await?;
    }
    Ok(())
}

/// Whether the gateway goes away instead of answering.
fn is_restart(state: &mut State) -> bool {
    match state.restart_after {
        Some(0) => {
            state.restart_after = None;
            state.boot += 1;
            true
        }
        Some(calls) => {
            state.restart_after = Some(calls - 1);
            false
        }
        None => false,
    }
}

/// The next frame; what is no JSON is ignored without an answer.
async fn hear(socket: &mut Socket, state: &Mutex<State>) -> Option<Value> {
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => {
                state.lock().unwrap().frames.push(text.to_string());
                if let Ok(frame) = serde_json::from_str(&text) {
                    return Some(frame);
                }
            }
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn answer(socket: &mut Socket, frame: &Value, result: &Result<Value, Value>) -> Result<(), Error> {
    let (member, value) = match result {
        Ok(payload) => ("payload", payload),
        Err(error) => ("error", error),
    };
    let mut answer = json!({ "type": "res", "id": frame["id"], "ok": result.is_ok() });
    answer[member] = value.clone();
    say(socket, &answer).await
}

async fn say(socket: &mut Socket, frame: &Value) -> Result<(), Error> {
    socket.send(Message::text(frame.to_string())).await
}

async fn close(socket: &mut Socket, code: u16) -> Result<(), Error> {
    socket.close(Some(CloseFrame { code: code.into(), reason: "".into() })).await?;
    // The other side answers, unless it is gone.
    while socket.next().await.is_some_and(|message| message.is_ok()) {}
    Ok(())
}
