//! What a gateway knows.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::GatewaySettings;
use crate::Journal;

const MINUTE: Duration = Duration::from_mins(1);
/// When the recordings were made, in milliseconds since 1970.
const RECORDED_AT: i64 = 1_795_436_676_193;

/// Names that are taken into the store and never reach an agent as plain entries.
const PROTECTED: [&str; 15] = [
    "AMQP_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "DATABASE_URL",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "MONGODB_URI",
    "NODE_AUTH_TOKEN",
    "NPM_TOKEN",
    "REDIS_URL",
];

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) kind: String,
    value: String,
    pub(super) hosts: Vec<String>,
    created_at: i64,
    updated_at: i64,
    pub(super) author: String,
}

pub(super) struct State {
    pub(super) settings: GatewaySettings,
    pub(super) journal: Journal,
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) servers: Map<String, Value>,
    pub(super) revision: u64,
    pub(super) boot: u64,
    pub(super) writes: BTreeMap<String, VecDeque<Instant>>,
    pub(super) starting: usize,
    pub(super) restart_after: Option<usize>,
    pub(super) foreign_changes: usize,
    pub(super) wrong_secrets: usize,
    pub(super) connections: usize,
    pub(super) calls: Vec<String>,
    pub(super) frames: Vec<String>,
    changes: i64,
}

impl State {
    pub(super) fn new(settings: GatewaySettings, journal: Journal) -> Self {
        Self {
            settings,
            journal,
            entries: BTreeMap::new(),
            servers: Map::new(),
            revision: 1,
            boot: 1,
            writes: BTreeMap::new(),
            starting: 0,
            restart_after: None,
            foreign_changes: 0,
            wrong_secrets: 0,
            connections: 0,
            calls: Vec::new(),
            frames: Vec::new(),
            changes: 0,
        }
    }

    pub(super) fn write(&mut self, name: &str, value: &str, kind: &str, hosts: Vec<String>, author: &str) {
        self.changes += 1;
        let now = RECORDED_AT + self.changes;
        let created_at = self.entries.get(name).map_or(now, |entry| entry.created_at);
        // A binding that is not sent again stays.
        let kept = self.entries.get(name).map(|entry| entry.hosts.clone()).unwrap_or_default();
        let hosts = if kind == "secret" && hosts.is_empty() { kept } else { hosts };
        let (kind, value, author) = (kind.to_owned(), value.to_owned(), author.to_owned());
        self.entries.insert(name.to_owned(), Entry { kind, value, hosts, created_at, updated_at: now, author });
    }

    /// Counts a write against the limit of its method; the milliseconds to wait if it is over.
    pub(super) fn count_write(&mut self, method: &str) -> Result<(), u64> {
        let (now, limit) = (Instant::now(), self.settings.writes_per_minute);
        let times = self.writes.entry(method.to_owned()).or_default();
        times.retain(|time| now.duration_since(*time) < MINUTE);
        if times.len() < limit {
            times.push_back(now);
            return Ok(());
        }
        let passed = times.front().map_or(Duration::ZERO, |first| now.duration_since(*first));
        Err(u64::try_from(MINUTE.saturating_sub(passed).as_millis()).unwrap())
    }

    pub(super) fn list(&self) -> Value {
        let listed = self.entries.iter().map(|(name, entry)| {
            let mut row = json!({
                "name": name, "scopeKind": "team", "scopeId": "", "createdAtMs": entry.created_at,
                "updatedAtMs": entry.updated_at, "updatedBy": entry.author, "kind": entry.kind,
            });
            if entry.kind == "env" {
                row["value"] = json!(entry.value);
            } else {
                row["allowedHosts"] = json!(entry.hosts);
            }
            row
        });
        json!({ "entries": listed.collect::<Vec<_>>() })
    }

    pub(super) fn environment(&self) -> BTreeMap<String, String> {
        let seen = |(name, entry): (&String, &Entry)| match entry.kind.as_str() {
            "env" => (!PROTECTED.contains(&name.as_str())).then(|| (name.clone(), entry.value.clone())),
            _ if self.settings.egress_proxy => Some((name.clone(), format!("oc-sent-v2.{name}.end"))),
            _ => None,
        };
        self.entries.iter().filter_map(seen).collect()
    }

    pub(super) fn boot_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.boot)
    }

    pub(super) fn hash(&self) -> String {
        format!("hmac-sha256:v1:{}", self.revision)
    }
}
