//! Providers whose manifests are real and whose answers are told.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nora_integrations::ports::TestContexts;
use nora_kernel::Clock;
use nora_provider_sdk::{
    Connection, Context, Declarative, FieldProblem, HttpClient, Manifest, NetworkError, Outcome, Provider, Request,
    Response, Stream, Transport,
};
use nora_testkit::ManualClock;

/// A token, a secret beside it, and where both go.
const GITHUB: &str = r#"
id = "github"
name = "GitHub"
category = "developer-tools"
description = "Reads and writes repositories."
docs_url = "https://github.example/docs"
auth_type = "token"
capabilities = ["read", "write"]

[[fields]]
name = "access_token"
title = "Access token"
env = "GITHUB_TOKEN"

[[fields]]
name = "signing_secret"
title = "Signing secret"
secret = true
env = "GITHUB_SIGNING_SECRET"

[[fields]]
name = "org"
title = "Organization"
env = "GITHUB_ORG"

[[fields]]
name = "base_url"
title = "API URL"
type = "base_url"
default = "https://api.github.example"
env = "GITHUB_API_URL"

[test]
url = "{base_url}/user"
headers = { Authorization = "Bearer {access_token}" }
success = { json = { pointer = "/login", exists = true } }
"#;

/// It wants the same variable as another one.
const HUB: &str = r#"
id = "hub"
name = "Hub"
category = "developer-tools"
description = "Another way to repositories."
docs_url = "https://hub.example/docs"
auth_type = "apikey"

[[fields]]
name = "key"
title = "Key"
env = "GITHUB_TOKEN"

[[fields]]
name = "owner"
title = "Owner"
env = "GITHUB_ORG"

[[fields]]
name = "host"
title = "Host"
type = "host"

[test]
url = "https://api.hub.example/user"
headers = { Authorization = "Bearer {key}" }
success = { json = { pointer = "/login", exists = true } }
"#;

/// A password that is no token, and a host that is required.
const DATABASE: &str = r#"
id = "database"
name = "Database"
category = "data"
description = "Keeps rows."
docs_url = "https://database.example/docs"
auth_type = "connection_string"

[[fields]]
name = "password"
title = "Password"
env = "DATABASE_PASSWORD"

[[fields]]
name = "host"
title = "Host"
type = "host"
required = true
env = "DATABASE_HOST"

[[fields]]
name = "port"
title = "Port"
type = "integer"
env = "DATABASE_PORT"

[[fields]]
name = "tls"
title = "TLS"
type = "boolean"
env = "DATABASE_TLS"
env_map = { true = "require", false = "disable" }

[test]
url = "https://{host}/me"
headers = { Authorization = "Bearer {password}" }
success = { json = { pointer = "/id", exists = true } }
"#;

/// Its one credential may be left out.
const CACHE: &str = r#"
id = "cache"
name = "Cache"
category = "data"
description = "Remembers."
docs_url = "https://cache.example/docs"
auth_type = "token"

[[fields]]
name = "password"
title = "Password"
required = false
env = "CACHE_PASSWORD"

[[fields]]
name = "host"
title = "Host"
type = "host"
required = true
env = "CACHE_HOST"

[test]
url = "https://{host}/me"
success = { json = { pointer = "/id", exists = true } }
"#;

/// No secret at all.
const FEED: &str = r#"
id = "feed"
name = "Feed"
category = "data"
description = "Reads a feed."
docs_url = "https://feed.example/docs"
auth_type = "none"

[[fields]]
name = "feed_url"
title = "Feed URL"
type = "base_url"
required = true
env = "FEED_URL"

[test]
url = "{feed_url}/index.json"
success = { json = { pointer = "/items", exists = true } }
"#;

/// The secret is itself the place it is sent to, and another one goes there with it.
const HOOK: &str = r#"
id = "hook"
name = "Hook"
category = "communication"
description = "Posts messages."
docs_url = "https://hook.example/docs"
auth_type = "webhook_url"

[[fields]]
name = "hook_url"
title = "Hook URL"
type = "base_url"
env = "HOOK_URL"

[[fields]]
name = "password"
title = "Password"
secret = true
env = "HOOK_PASSWORD"

[test]
url = "{hook_url}/me"
headers = { Authorization = "Bearer {password}" }
success = { json = { pointer = "/id", exists = true } }
"#;

/// What every provider of these tests answers, and what it was shown.
pub(crate) struct Probe {
    pub(crate) outcome: Mutex<Outcome>,
    pub(crate) takes: Mutex<Duration>,
    pub(crate) shown: Mutex<Vec<String>>,
    clock: ManualClock,
}

impl Probe {
    pub(crate) fn new(clock: ManualClock) -> Self {
        let outcome = Mutex::new(Outcome::verified(None));
        Self { outcome, takes: Mutex::default(), shown: Mutex::default(), clock }
    }

    pub(crate) fn answers(&self, outcome: Outcome) {
        *self.outcome.lock().unwrap() = outcome;
    }

    /// What providers were shown since the last look: each `provider field=value ...`.
    pub(crate) fn shown(&self) -> Vec<String> {
        std::mem::take(&mut *self.shown.lock().unwrap())
    }
}

struct Told {
    inner: Declarative,
    probe: Arc<Probe>,
}

#[async_trait]
impl Provider for Told {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        self.inner.check(connection)
    }

    async fn test(&self, connection: &Connection<'_>, _: &dyn Context) -> Outcome {
        let mut shown = self.manifest().id().to_string();
        for field in self.manifest().fields() {
            if let Some(value) = connection.value(field.name.as_str()) {
                shown = format!("{shown} {}={}", field.name, value.expose());
            }
        }
        self.probe.shown.lock().unwrap().push(shown);
        self.probe.clock.advance(*self.probe.takes.lock().unwrap());
        self.probe.outcome.lock().unwrap().clone()
    }
}

pub(crate) fn all(probe: &Arc<Probe>) -> Vec<Arc<dyn Provider>> {
    let told = |text: &&str| -> Arc<dyn Provider> {
        let inner = Declarative::parse("test.toml", text).unwrap_or_else(|error| panic!("{error}"));
        Arc::new(Told { inner, probe: Arc::clone(probe) })
    };
    [GITHUB, HUB, DATABASE, CACHE, FEED, HOOK].iter().map(told).collect()
}

/// Contexts through which nothing goes out.
pub(crate) struct Offline(pub(crate) ManualClock);

impl TestContexts for Offline {
    fn open(&self) -> Box<dyn Context> {
        Box::new(Self(self.0.clone()))
    }
}

#[async_trait]
impl Context for Offline {
    fn http(&self) -> &dyn HttpClient {
        self
    }

    fn clock(&self) -> &dyn Clock {
        &self.0
    }

    async fn connect(&self, _: &str, _: u16, _: Transport) -> Result<Box<dyn Stream>, NetworkError> {
        Err(NetworkError::Refused)
    }

    async fn start_tls(&self, _: Box<dyn Stream>, _: &str) -> Result<Box<dyn Stream>, NetworkError> {
        Err(NetworkError::Tls)
    }
}

#[async_trait]
impl HttpClient for Offline {
    async fn send(&self, _: Request) -> Result<Response, NetworkError> {
        Err(NetworkError::Refused)
    }
}
