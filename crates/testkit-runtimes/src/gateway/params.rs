//! Which members parameters may have. A gateway refuses every other one.

use serde_json::Value;

/// A method's required members, and its optional ones.
type Members = (&'static [&'static str], &'static [&'static str]);

const CONNECT: Members = (
    &["minProtocol", "maxProtocol", "client"],
    &["caps", "commands", "permissions", "pathEnv", "role", "scopes", "device", "auth", "locale", "userAgent"],
);
const CLIENT: Members = (
    &["id", "version", "platform", "mode"],
    &["displayName", "buildId", "deviceFamily", "modelIdentifier", "timeZone", "instanceId"],
);
const DEVICE: Members = (&["id", "publicKey", "signature", "signedAt", "nonce"], &[]);
const AUTH: Members = (&[], &["token", "bootstrapToken", "deviceToken", "password"]);

/// What is wrong with the members of an object, as a gateway says it.
fn problem(value: &Value, at: &str, (required, optional): Members) -> Option<String> {
    let Some(object) = value.as_object() else { return Some(format!("at {at}: must be object")) };
    let missing = required.iter().find(|name| !object.contains_key(**name));
    let unexpected = object.keys().find(|name| !required.iter().chain(optional).any(|known| known == name));
    missing
        .map(|name| format!("must have required property '{name}'"))
        .or_else(|| unexpected.map(|name| format!("at {at}: unexpected property '{name}'")))
}

/// What is wrong with a frame.
pub(super) fn of_frame(frame: &Value) -> Option<String> {
    problem(frame, "root", (&["type", "id", "method"], &["params"]))
}

/// What is wrong with the parameters of `connect`.
pub(super) fn of_connect(params: &Value) -> Option<String> {
    let part = |name: &str, members| params.get(name).and_then(|part| problem(part, &format!("/{name}"), members));
    problem(params, "root", CONNECT)
        .or_else(|| part("client", CLIENT))
        .or_else(|| part("device", DEVICE))
        .or_else(|| part("auth", AUTH))
}

/// What is wrong with the parameters of a call; methods that nobody knows are judged elsewhere.
pub(super) fn of_call(method: &str, params: &Value) -> Option<String> {
    let members: Members = match method {
        "secrets.store.set" => (&["name", "value", "kind"], &["allowedHosts"]),
        "secrets.store.delete" => (&["name"], &[]),
        "config.patch" => {
            (&["raw"], &["baseHash", "replacePaths", "restartDelayMs", "note", "sessionKey", "deliveryContext"])
        }
        "secrets.store.list" | "secrets.reload" | "config.get" => (&[], &[]),
        _ => return None,
    };
    problem(params, "root", members).map(|problem| format!("invalid {method} params: {problem}"))
}
