//! Who may come in, and with which scopes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use super::Reach;
use super::params;
use super::refusals as refuse;
use super::state::State;

const CLIENT_IDS: [&str; 7] =
    ["webchat-ui", "openclaw-control-ui", "openclaw-tui", "cli", "gateway-client", "node-host", "test"];
const CLIENT_MODES: [&str; 8] = ["webchat", "cli", "ui", "backend", "node", "worker", "probe", "test"];
/// How far a signature's time may be away, in milliseconds.
const SKEW: i64 = 120_000;
const MOST_WRONG_SECRETS: usize = 10;

/// A challenge that was sent.
pub(super) struct Challenge {
    pub(super) nonce: String,
    pub(super) ts: i64,
}

/// Who came in.
pub(super) struct Guest {
    pub(super) name: String,
    pub(super) is_admin: bool,
}

/// Why somebody did not: the error, if there is one, and the close code.
pub(super) struct Turned(pub(super) Option<Value>, pub(super) u16);

/// Judges the first frame. `Ok` comes with the payload of the hello.
pub(super) fn admit(state: &mut State, frame: &Value, challenge: &Challenge) -> Result<(Guest, Value), Turned> {
    let params = &frame["params"];
    if frame["method"] != "connect" {
        return Err(Turned(None, 1008));
    }
    if let Some(problem) = params::of_frame(frame).or_else(|| params::of_connect(params)) {
        return Err(Turned(Some(refuse::invalid(format!("invalid connect params: {problem}"))), 1008));
    }
    let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    if !CLIENT_IDS.contains(&text("/client/id").as_str()) || !CLIENT_MODES.contains(&text("/client/mode").as_str()) {
        return Err(Turned(None, 1008));
    }
    let (min, max) = (params["minProtocol"].as_u64().unwrap_or(0), params["maxProtocol"].as_u64().unwrap_or(0));
    let protocol = state.settings.protocol;
    if !(min..=max).contains(&protocol) {
        return Err(Turned(Some(refuse::protocol_mismatch(protocol, min, max)), 1002));
    }
    if state.starting > 0 {
        state.starting -= 1;
        return Err(Turned(Some(refuse::starting()), 1013));
    }
    check_secret(state, params)?;
    let scopes = check_device(state, params, challenge)?;
    let is_admin = scopes.iter().any(|scope| scope == "operator.admin");
    Ok((Guest { name: text("/client/displayName"), is_admin }, hello(state, &scopes)))
}

fn check_secret(state: &mut State, params: &Value) -> Result<(), Turned> {
    let auth = &params["auth"];
    if auth.is_null() && params["device"].is_null() {
        return Err(Turned(Some(refuse::no_device()), 1008));
    }
    let given = auth["password"].as_str().or_else(|| auth["token"].as_str());
    if given == Some(&state.settings.secret) {
        state.wrong_secrets = 0;
        return Ok(());
    }
    state.wrong_secrets += 1;
    let error = if state.wrong_secrets > MOST_WRONG_SECRETS {
        refuse::too_many_wrong_secrets()
    } else {
        refuse::wrong_secret()
    };
    Err(Turned(Some(error), 1008))
}

/// The scopes that are granted.
fn check_device(state: &State, params: &Value, challenge: &Challenge) -> Result<Vec<String>, Turned> {
    let asked = params["scopes"].as_array().cloned().unwrap_or_default();
    let asked: Vec<String> = asked.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    let device = &params["device"];
    if device.is_null() {
        return Ok(if state.settings.reach == Reach::Local { asked } else { Vec::new() });
    }
    check_proof(params, challenge).map_err(|error| Turned(Some(error), 1008))?;
    let id = device["id"].as_str().unwrap_or_default();
    let known = state.settings.reach == Reach::Local || state.settings.paired.iter().any(|paired| paired == id);
    if known { Ok(asked) } else { Err(Turned(Some(refuse::not_paired(id)), 1008)) }
}

fn check_proof(params: &Value, challenge: &Challenge) -> Result<(), Value> {
    let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (signed_at, nonce) = (params["device"]["signedAt"].as_i64().unwrap_or(0), text("/device/nonce"));
    if (signed_at - challenge.ts).abs() > SKEW {
        return Err(refuse::stale_signature());
    }
    let decoded = |pointer: &str| URL_SAFE_NO_PAD.decode(text(pointer)).unwrap_or_default();
    let (public, signature) = (decoded("/device/publicKey"), decoded("/device/signature"));
    let scopes: Vec<_> = params["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let id = hex::encode(digest(&SHA256, &public));
    let (client, mode, role) = (text("/client/id"), text("/client/mode"), text("/role"));
    let (scopes, token) = (scopes.join(","), text("/auth/token"));
    let platform = text("/client/platform").trim().to_ascii_lowercase();
    let family = text("/client/deviceFamily").trim().to_ascii_lowercase();
    let common = format!("{id}|{client}|{mode}|{role}|{scopes}|{signed_at}|{token}|{nonce}");
    let forms = [format!("v3|{common}|{platform}|{family}"), format!("v2|{common}")];
    let key = UnparsedPublicKey::new(&ED25519, &public);
    let is_signed = forms.iter().any(|form| key.verify(form.as_bytes(), &signature).is_ok());
    let holds = is_signed && nonce == challenge.nonce && text("/device/id") == id;
    if holds { Ok(()) } else { Err(refuse::bad_signature()) }
}

fn hello(state: &State, scopes: &[String]) -> Value {
    let mut methods = vec!["agent", "config.get", "config.patch", "health"];
    if state.settings.store {
        methods.extend(["secrets.reload", "secrets.store.delete", "secrets.store.list", "secrets.store.set"]);
    }
    let mut hello = json!({
        "type": "hello-ok", "protocol": state.settings.protocol,
        "server": { "version": "2026.9.6", "connId": "d9b9e731-4884-4f4a-ba5d-8aa2915a7eaf" },
        "features": { "methods": methods, "events": [] },
        "snapshot": { "uptimeMs": 12_345, "appliedConfigHash": state.hash() },
        "policy": { "maxPayload": 26_214_400, "maxBufferedBytes": 52_428_800, "tickIntervalMs": 30_000 },
    });
    if state.settings.protocol >= 4 {
        hello["server"]["bootId"] = json!(state.boot_id());
        hello["auth"] = json!({ "method": "password", "role": "operator", "scopes": scopes });
    }
    hello
}
