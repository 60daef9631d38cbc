//! Manifests, and a catalog made of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use nora_catalog::{Catalog, CatalogError, Entry, Listing, Options, Parsed, Violation};
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_kernel::{ProviderId, Secret};
use nora_provider_sdk::{Declarative, Provider};
use nora_testkit::PlainDigest;
use serde_json::{Map, Value};

/// A token, and every type of field that `config` can hold. Nothing but the token is required.
pub(crate) const ACME: &str = r#"
id = "acme"
name = "Acme"
category = "productivity"
description = "Reads and writes Acme tasks."
docs_url = "https://developers.acme.example/rest"
auth_type = "token"
capabilities = ["read"]

[[fields]]
name = "api_token"
title = "API token"
description = "From your profile."
hint = '^acme_[a-z0-9]{8}$'
placeholder = "acme_..."
env = "ACME_TOKEN"

[[fields]]
name = "signing_secret"
title = "Signing secret"
secret = true
env = "ACME_SIGNING_SECRET"

[[fields]]
name = "certificate"
title = "Certificate"
type = "pem"
secret = true
env = "ACME_CERTIFICATE"

[[fields]]
name = "base_url"
title = "API URL"
type = "base_url"
default = "https://api.acme.example"
env = "ACME_URL"

[[fields]]
name = "team"
title = "Team"
type = "subdomain"
domains = ["acme.example"]

[[fields]]
name = "shop"
title = "Shop"
type = "host_under"
domains = ["shops.acme.example"]

[[fields]]
name = "server"
title = "Server"
type = "host"

[[fields]]
name = "channel"
title = "Channel"
pattern = '^#[a-z]+$'
env = "ACME_CHANNEL"

[[fields]]
name = "region"
title = "Region"
type = "choice"
options = ["eu", "us"]

[[fields]]
name = "port"
title = "Port"
type = "integer"
min = 1
max = 65535

[[fields]]
name = "verbose"
title = "Verbose"
type = "boolean"

[[fields]]
name = "contact"
title = "Contact"
type = "email"

[[fields]]
name = "project"
title = "Project"
type = "uuid"

[[fields]]
name = "homepage"
title = "Homepage"
type = "url"

[[fields]]
name = "initials"
title = "Initials"
min_length = 2
max_length = 4

[[fields]]
name = "notes"
title = "Notes"

[test]
url = "{base_url}/v1/me"
headers = { Authorization = "Bearer {api_token}" }
success = { json = { pointer = "/id", exists = true } }
"#;

/// A user, a password and where they go; two more ways to prove who one is.
pub(crate) const VAULT: &str = r#"
id = "strongbox"
name = "Strongbox"
category = "security"
description = "Keeps things."
docs_url = "https://strongbox.example/docs"
auth_type = "basic"
requires_one_of = [["password"], ["client_id", "client_secret"]]

[[fields]]
name = "password"
title = "Password"
required = false

[[fields]]
name = "host"
title = "Host"
type = "host"
required = true

[[fields]]
name = "client_id"
title = "Client id"

[[fields]]
name = "client_secret"
title = "Client secret"
secret = true

[[fields]]
name = "mode"
title = "Mode"
type = "choice"
options = ["plain", "sealed"]
default = "plain"

[[fields]]
name = "unseal_key"
title = "Unseal key"
secret = true
required_when = { mode = "sealed" }

[test]
url = "https://{host}/me"
basic = { username = "{client_id}", password = "{password}" }
success = { json = { pointer = "/id", exists = true } }
"#;

/// A password that is required, but not under the name of a token, and a secret beside it.
pub(crate) const DATABASE: &str = r#"
id = "database"
name = "Database"
category = "data"
description = "Keeps rows."
docs_url = "https://database.example/docs"
auth_type = "connection_string"

[[fields]]
name = "password"
title = "Password"

[[fields]]
name = "wallet"
title = "Wallet"
type = "json"
secret = true
required = true

[[fields]]
name = "host"
title = "Host"
type = "host"
required = true

[test]
url = "https://{host}/me"
headers = { Authorization = "Bearer {password}" }
success = { json = { pointer = "/id", exists = true } }
"#;

/// Nothing is secret, and nothing is a token.
pub(crate) const FEED: &str = r#"
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

[test]
url = "{feed_url}/index.json"
success = { json = { pointer = "/items", exists = true } }
"#;

pub(crate) fn provider(text: &str) -> Arc<dyn Provider> {
    Arc::new(Declarative::parse("test.toml", text).unwrap_or_else(|error| panic!("{error}")))
}

/// A provider of which only what lists show matters.
pub(crate) fn listed(id: &str, name: &str, category: &str, auth_type: &str) -> Arc<dyn Provider> {
    let text = ACME
        .replace("id = \"acme\"", &format!("id = \"{id}\""))
        .replace("name = \"Acme\"", &format!("name = \"{name}\""))
        .replace("category = \"productivity\"", &format!("category = \"{category}\""))
        .replace("auth_type = \"token\"", &format!("auth_type = \"{auth_type}\""));
    provider(&text)
}

/// Calls third parties on the internet and nowhere else.
pub(crate) fn options() -> Options {
    Options { disabled: BTreeSet::new(), policy: NetworkPolicy::third_parties(Networks::default()) }
}

pub(crate) fn build(
    providers: impl IntoIterator<Item = Arc<dyn Provider>>,
    disabled: &[&str],
) -> Result<Catalog, CatalogError> {
    let disabled = disabled.iter().map(|id| id.parse::<ProviderId>().unwrap()).collect();
    Catalog::build(providers, &Options { disabled, ..options() }, Arc::new(PlainDigest))
}

pub(crate) fn catalog(providers: impl IntoIterator<Item = Arc<dyn Provider>>) -> Catalog {
    build(providers, &[]).unwrap()
}

/// The one entry of a catalog of one provider.
pub(crate) fn entry(text: &str) -> Arc<Entry> {
    entry_of(provider(text), &options())
}

pub(crate) fn entry_of(provider: Arc<dyn Provider>, options: &Options) -> Arc<Entry> {
    let catalog = Catalog::build([provider], options, Arc::new(PlainDigest)).unwrap();
    Arc::clone(catalog.entries().next().unwrap())
}

pub(crate) fn json(listing: &Listing) -> Value {
    serde_json::from_slice(&listing.body).unwrap()
}

pub(crate) fn ids(listing: &Listing) -> Vec<String> {
    let items = json(listing);
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// Parses a connection with a token, unless it is empty.
pub(crate) fn parse(entry: &Entry, token: &str, config: &Value, kept: &[&str]) -> Result<Parsed, Vec<Violation>> {
    entry.parse((!token.is_empty()).then(|| secret(token)), object(config), kept)
}

/// What is wrong, as `pointer detail` lines.
pub(crate) fn refusal(entry: &Entry, token: &str, config: &Value, kept: &[&str]) -> Vec<String> {
    let violations = parse(entry, token, config, kept).map_or_else(|violations| violations, |_| Vec::new());
    violations.into_iter().map(|Violation { pointer, detail }| format!("{pointer} {detail}")).collect()
}
