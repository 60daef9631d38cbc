//! The kubeconfig: what may be in it, and what a context of it names.

use nora_provider_sdk::{Secret, Unready, yaml};
use serde_json::{Map, Value};

use crate::access::{Access, CONTEXT, wrong};

type Members = Map<String, Value>;

const NOT_A_KUBECONFIG: &str = "must be a kubeconfig: `kind: Config`, with `contexts`, `clusters` and `users`";
const RUNS: &str =
    "must not name a program to run: users with `exec` or `auth-provider` are refused. Put a token into it";
const READS: &str =
    "must not name files: put the tokens and certificates themselves into it (`kubectl config view --flatten` does it)";
const NO_CONTEXT: &str = "names no `current-context`, and no context was chosen";
const UNKNOWN_CONTEXT: &str = "has a `current-context` that is not one of its contexts";
const NOT_THERE: &str = "is not a context of the kubeconfig";
const INCOMPLETE: &str = "has a chosen context that names no cluster or user of the kubeconfig";
const REPEATED: &str = "must not hold two contexts, clusters or users of one name";

/// What a user must not hold: programs that client libraries run.
const PROGRAMS: &[&str] = &["exec", "auth-provider"];

/// What neither a user nor a cluster may hold: paths of files that client libraries read.
const FILES: &[&str] = &["certificate-authority", "client-certificate", "client-key", "tokenFile"];

/// A kubeconfig that names no program and no file.
pub(crate) struct Kubeconfig {
    current: Option<String>,
    contexts: Vec<(String, Members)>,
    clusters: Vec<(String, Members)>,
    users: Vec<(String, Members)>,
}

impl Kubeconfig {
    /// Reads the YAML. The error says what to change, and repeats nothing of it.
    pub(crate) fn parse(text: &Secret) -> Result<Self, &'static str> {
        let Value::Object(document) = yaml::parse(text.expose())? else { return Err(NOT_A_KUBECONFIG) };
        if document.get("kind").and_then(Value::as_str) != Some("Config") {
            return Err(NOT_A_KUBECONFIG);
        }
        let kubeconfig = Self {
            current: text_of(&document, "current-context").map(str::to_owned),
            contexts: entries(&document, "contexts", "context")?,
            clusters: entries(&document, "clusters", "cluster")?,
            users: entries(&document, "users", "user")?,
        };
        let parts = || kubeconfig.users.iter().chain(&kubeconfig.clusters).map(|(_, part)| part);
        if parts().any(|part| holds_one_of(part, PROGRAMS)) {
            return Err(RUNS);
        }
        if parts().any(|part| holds_one_of(part, FILES)) {
            return Err(READS);
        }
        Ok(kubeconfig)
    }

    /// How the chosen context, or else the current one, gets to its API server.
    pub(crate) fn access(&self, chosen: Option<&str>) -> Result<Access, Unready> {
        let name = chosen.or(self.current.as_deref()).ok_or(wrong(NO_CONTEXT))?;
        let context = find(&self.contexts, name).ok_or(match chosen {
            Some(_) => Unready::Field { name: CONTEXT, detail: NOT_THERE },
            None => wrong(UNKNOWN_CONTEXT),
        })?;
        let named = |key, entries| find(entries, text_of(context, key)?);
        let parts = named("cluster", &self.clusters).zip(named("user", &self.users));
        let (cluster, user) = parts.ok_or(wrong(INCOMPLETE))?;
        Access::new(cluster, user)
    }
}

/// The text under `key`, if there is one that is not empty.
pub(crate) fn text_of<'a>(members: &'a Members, key: &str) -> Option<&'a str> {
    members.get(key)?.as_str().filter(|text| !text.is_empty())
}

/// The named entries of a list.
fn entries(document: &Members, list: &str, inner: &str) -> Result<Vec<(String, Members)>, &'static str> {
    let mut found: Vec<(String, Members)> = Vec::new();
    let items = match document.get(list) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(Value::Null) | None => &[],
        Some(_) => return Err(NOT_A_KUBECONFIG),
    };
    for item in items {
        let name = item.get("name").and_then(Value::as_str).ok_or(NOT_A_KUBECONFIG)?;
        let part = match item.get(inner) {
            Some(Value::Object(part)) => part.clone(),
            Some(Value::Null) | None => Map::new(),
            Some(_) => return Err(NOT_A_KUBECONFIG),
        };
        if find(&found, name).is_some() {
            return Err(REPEATED);
        }
        found.push((name.to_owned(), part));
    }
    Ok(found)
}

fn find<'a>(entries: &'a [(String, Members)], name: &str) -> Option<&'a Members> {
    entries.iter().find(|(candidate, _)| candidate == name).map(|(_, part)| part)
}

/// Whether one of these keys has a value. Some libraries do not tell upper case from lower.
fn holds_one_of(part: &Members, keys: &[&str]) -> bool {
    let is_one = |name: &str| keys.iter().any(|key| key.eq_ignore_ascii_case(name));
    part.iter().any(|(name, value)| is_one(name) && !value.is_null())
}
