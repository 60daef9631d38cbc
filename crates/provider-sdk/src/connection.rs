//! The values of one connection.

use nora_kernel::{EnvName, Label, Secret, SecretMap};
use serde_json::{Map, Value};

use crate::manifest::Field;
use crate::{Account, Manifest};

/// What a person entered for one connection: public configuration, secrets, and the manifest that gives them meaning.
#[derive(Clone, Copy)]
pub struct Connection<'a> {
    manifest: &'a Manifest,
    config: &'a Map<String, Value>,
    secrets: &'a SecretMap,
}

impl std::fmt::Debug for Connection<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").field("provider", self.manifest.id()).finish_non_exhaustive()
    }
}

impl<'a> Connection<'a> {
    /// Joins the parts. `config` holds no secret and was validated against the manifest's schema.
    pub const fn new(manifest: &'a Manifest, config: &'a Map<String, Value>, secrets: &'a SecretMap) -> Self {
        Self { manifest, config, secrets }
    }

    /// The manifest.
    pub const fn manifest(&self) -> &'a Manifest {
        self.manifest
    }

    /// Every secret that was given.
    pub const fn secrets(&self) -> &'a SecretMap {
        self.secrets
    }

    /// Whether `field` was filled in. A default does not count, and neither does an empty text.
    pub fn is_set(&self, field: &str) -> bool {
        let given = self.config.get(field).and_then(plain_text);
        self.secret(field).is_some_and(|secret| !secret.is_empty()) || given.is_some_and(|text| !text.is_empty())
    }

    /// The secret of `field`, if it was given.
    pub fn secret(&self, field: &str) -> Option<&'a Secret> {
        self.secrets.get(field)
    }

    /// The value of a public `field` as text: what was given, else the manifest's default. An empty text is not given.
    pub fn text(&self, field: &str) -> Option<String> {
        let given = self.config.get(field).and_then(plain_text).filter(|text| !text.is_empty());
        given.or_else(|| self.manifest.field(field).and_then(|field| field.default.as_ref()).and_then(plain_text))
    }

    /// The secret of `field`, if one was given that is not empty.
    ///
    /// ```
    /// use nora_provider_sdk::{Connection, Secret};
    ///
    /// fn key<'a>(connection: &Connection<'a>) -> Option<&'a Secret> {
    ///     connection.entered("api_key")
    /// }
    /// ```
    pub fn entered(&self, field: &str) -> Option<&'a Secret> {
        self.secret(field).filter(|secret| !secret.is_empty())
    }

    /// The value of a public `field`, read as a `T`: `None` where there is none, or it is none.
    ///
    /// ```
    /// use nora_provider_sdk::Connection;
    ///
    /// fn port(connection: &Connection<'_>) -> Option<u16> {
    ///     connection.parsed("port")
    /// }
    /// ```
    pub fn parsed<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.text(field)?.parse().ok()
    }

    /// The value of any `field` as text, secret or not.
    pub fn value(&self, field: &str) -> Option<Secret> {
        self.secret(field).map(Secret::duplicate).or_else(|| self.text(field).map(Secret::new))
    }

    /// The account behind the credential, by this name; `None` if nothing is left to show, or the name repeats a secret.
    pub fn account(&self, name: &str) -> Option<Account> {
        let account = Account::new(name)?;
        let shows = |secret: &Secret| name.contains(secret.expose()) || account.as_str().contains(secret.expose());
        let repeats = self.secrets.iter().any(|(_, secret)| !secret.is_empty() && shows(secret));
        (!repeats).then_some(account)
    }

    /// The environment variables this connection sets under `label`: those whose field was given a value.
    ///
    /// Defaults are not exported: the vendor's own tools know them.
    pub fn variables(&self, label: &Label) -> Vec<(EnvName, Secret)> {
        self.manifest.fields().iter().filter_map(|field| self.variable(field, label)).collect()
    }

    /// Of those variables the secret ones that travel in HTTP headers and nowhere else, with the hosts they are sent to.
    pub fn header_hosts(&self, label: &Label) -> Vec<(EnvName, Vec<String>)> {
        let secrets = self.manifest.fields().iter().filter(|field| field.secret && field.export.is_none());
        let hosts = |field: &Field| {
            let (name, _) = self.variable(field, label)?;
            let hosts = self.manifest.header_hosts(self, field.name.as_str());
            (!hosts.is_empty()).then_some((name, hosts))
        };
        secrets.filter_map(hosts).collect()
    }

    fn variable(&self, field: &Field, label: &Label) -> Option<(EnvName, Secret)> {
        let name = field.env.as_ref()?.labelled(label)?;
        let given = || self.config.get(field.name.as_str()).and_then(plain_text).map(Secret::new);
        let value = self.secret(field.name.as_str()).map(Secret::duplicate).or_else(given)?;
        (!value.is_empty()).then(|| (name, field.exported(value)))
    }
}

fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
        id = "acme"
        name = "Acme"
        category = "productivity"
        description = "Does nothing."
        docs_url = "https://developers.acme.example"
        auth_type = "token"
        fields = [{ name = "token", title = "Token" }, { name = "pin", title = "PIN", secret = true }]
        test = { code = true }
    "#;

    #[test]
    fn an_account_never_repeats_a_secret() {
        let manifest = Manifest::parse("acme.toml", MANIFEST).unwrap();
        let secret = |name: &str, value: &str| (name.parse().unwrap(), Secret::new(value.to_owned()));
        let secrets = [secret("token", "hunter2"), secret("pin", "")].into_iter().collect();
        let config = Map::new();
        let connection = Connection::new(&manifest, &config, &secrets);
        assert_eq!(connection.account("Ada\u{202e}").unwrap().as_str(), "Ada");
        for name in ["hunter2", "a hunter2 b", "hunt\u{200b}er2", "\n", &format!("{} hunter2", "x".repeat(200))] {
            assert_eq!(connection.account(name), None, "{name}");
        }
    }
}
