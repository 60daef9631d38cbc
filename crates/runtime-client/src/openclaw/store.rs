//! The gateway's secret store.

use std::collections::BTreeMap;

use nora_kernel::Secret;
use serde::{Deserialize, Deserializer, Serialize};

use super::frame::exposed;
use super::handshake::AUTHOR;
use super::session::{CallError, Session};

/// How a variable is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holding {
    /// The agent's commands see its value.
    Plain,
    /// They see a stand-in, which the gateway's proxy replaces on the way to these hosts. The value is never read back.
    Bound(Vec<String>),
}

/// A variable in the store.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) holding: Holding,
    pub(super) value: Option<Secret>,
    pub(super) changed_at_ms: i64,
    author: Option<String>,
}

impl Entry {
    /// Whether we wrote it last.
    pub(super) fn is_ours(&self) -> bool {
        self.author.as_deref() == Some(AUTHOR)
    }
}

#[derive(Deserialize)]
struct Listed {
    entries: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    kind: String,
    #[serde(default, deserialize_with = "secret")]
    value: Option<Secret>,
    #[serde(default)]
    allowed_hosts: Vec<String>,
    updated_at_ms: i64,
    updated_by: Option<String>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetParams<'a> {
    name: &'a str,
    #[serde(serialize_with = "exposed")]
    value: &'a Secret,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_hosts: Option<&'a [String]>,
}

#[derive(Serialize)]
struct DeleteParams<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct NoParams {}

/// What a gateway says about a write.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Written {
    /// How many users of the entry could not be given its new value.
    warning_count: u64,
}

impl Written {
    /// Whether the running gateway did not take the write over everywhere.
    pub(super) const fn is_partial(&self) -> bool {
        self.warning_count > 0
    }
}

/// Every entry, by name.
pub(super) async fn list(session: &mut Session) -> Result<BTreeMap<String, Entry>, CallError> {
    let Listed { entries } = session.call("secrets.store.list", &NoParams {}).await?;
    Ok(entries.into_iter().map(entry).collect())
}

fn entry(row: Row) -> (String, Entry) {
    let holding = if row.kind == "env" { Holding::Plain } else { Holding::Bound(sorted(row.allowed_hosts)) };
    (row.name, Entry { holding, value: row.value, changed_at_ms: row.updated_at_ms, author: row.updated_by })
}

pub(super) fn sorted(mut hosts: Vec<String>) -> Vec<String> {
    hosts.sort();
    hosts
}

/// Writes an entry over whatever it was.
pub(super) async fn set(
    session: &mut Session,
    name: &str,
    value: &Secret,
    holding: &Holding,
) -> Result<Written, CallError> {
    let (kind, allowed_hosts) = match holding {
        Holding::Plain => ("env", None),
        Holding::Bound(hosts) => ("secret", Some(hosts.as_slice())),
    };
    session.call("secrets.store.set", &SetParams { name, value, kind, allowed_hosts }).await
}

/// Deletes an entry; one that is not there counts as deleted.
pub(super) async fn delete(session: &mut Session, name: &str) -> Result<Written, CallError> {
    session.call("secrets.store.delete", &DeleteParams { name }).await
}

/// Has the gateway read its store again, after a write that it did not take over everywhere.
pub(super) async fn reload(session: &mut Session) -> Result<Written, CallError> {
    session.call("secrets.reload", &NoParams {}).await
}

#[derive(Deserialize)]
struct GotConfig {
    #[serde(default)]
    config: Config,
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(default)]
    secrets: Option<SecretsConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretsConfig {
    #[serde(default)]
    egress_proxy: Option<EgressProxy>,
}

#[derive(Deserialize)]
struct EgressProxy {
    #[serde(default)]
    enabled: bool,
}

/// Whether the gateway's proxy is on, without which [`Holding::Bound`] entries reach nobody.
pub(super) async fn has_egress_proxy(session: &mut Session) -> Result<bool, CallError> {
    let GotConfig { config } = session.call("config.get", &NoParams {}).await?;
    Ok(config.secrets.and_then(|secrets| secrets.egress_proxy).is_some_and(|proxy| proxy.enabled))
}
