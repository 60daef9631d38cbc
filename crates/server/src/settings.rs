//! Settings: flags and environment variables, parsed once into types.
//!
//! Everything is taken as text first and parsed here, because an error must name the setting and never repeat its
//! value: a database URL holds a password.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use nora_kernel::Secret;
use nora_kernel::address::{NetworkPolicy, Networks};
use url::Url;

use crate::StartError;

/// The flags of `serve`, `demo` and `migrate`, each with its environment variable.
#[derive(Debug, Clone, Args)]
pub(crate) struct Flags {
    /// Address to listen on [default: 127.0.0.1:8080]
    #[arg(long, env = "NORA_LISTEN", hide_env_values = true)]
    listen: Option<String>,
    /// Base URL under which clients reach this server [default: http:// and the listen address]
    #[arg(long, env = "NORA_PUBLIC_URL", hide_env_values = true)]
    public_url: Option<String>,
    /// Address to serve Prometheus metrics on [default: 127.0.0.1:9464]
    #[arg(long, env = "NORA_METRICS_LISTEN", hide_env_values = true)]
    metrics_listen: Option<String>,
    /// `sqlite://PATH` or `postgres://...` [default: nora.db in the data directory]
    #[arg(long, env = "NORA_DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Directory for the embedded database, the keyring and the bootstrap key [default: ./nora-data]
    #[arg(long, env = "NORA_DATA_DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
    /// Keyring file, mode 0600 [default: vault.keyring in the data directory]
    #[arg(long, env = "NORA_VAULT_KEYRING", hide_env_values = true)]
    vault_keyring: Option<PathBuf>,
    /// Private networks that third-party calls may reach: comma-separated CIDRs
    #[arg(long, env = "NORA_ALLOW_NETWORKS", hide_env_values = true)]
    allow_network: Option<String>,
    /// Networks that agent runtimes may live in: comma-separated CIDRs
    #[arg(long, env = "NORA_RUNTIME_NETWORKS", hide_env_values = true)]
    runtime_network: Option<String>,
    /// Directory of provider manifests to add to the catalog
    #[arg(long, env = "NORA_PROVIDERS_DIR", hide_env_values = true)]
    providers_dir: Option<PathBuf>,
}

/// Which database.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// The embedded one, in this file.
    Sqlite(PathBuf),
    /// A server; the URL holds a password.
    Postgres(SecretUrl),
}

/// A URL that must not be shown.
#[derive(Clone)]
pub(crate) struct SecretUrl(pub(crate) std::sync::Arc<Secret>);

impl std::fmt::Debug for SecretUrl {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("SecretUrl(***)")
    }
}

/// How JWTs are verified, if they are.
#[derive(Debug)]
pub(crate) struct JwtSettings {
    pub(crate) key: JwtKey,
    pub(crate) issuer: String,
    pub(crate) audience: String,
}

/// What JWTs are verified with.
#[derive(Debug)]
pub(crate) enum JwtKey {
    Secret(Secret),
    Jwks(Url),
}

/// Every setting, parsed.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) public_url: Url,
    pub(crate) metrics_listen: SocketAddr,
    pub(crate) database: Database,
    pub(crate) data_dir: PathBuf,
    pub(crate) vault_keyring: PathBuf,
    pub(crate) third_parties: NetworkPolicy,
    pub(crate) runtimes: NetworkPolicy,
    pub(crate) providers_dir: Option<PathBuf>,
    pub(crate) jwt: Option<JwtSettings>,
    /// Webhooks a second and channel; 0 is without a limit.
    pub(crate) webhook_rate: u32,
    /// How long webhook events are kept.
    pub(crate) event_retention: Duration,
    /// How long audit lines are kept; `None` is for ever.
    pub(crate) audit_retention: Option<Duration>,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How long webhook events are kept unless it is said otherwise.
const EVENTS_KEPT: Duration = Duration::from_hours(30 * 24);
/// How long a drain may take in all.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

impl Settings {
    /// Parses flags and environment.
    pub(crate) fn parse(flags: Flags) -> Result<Self, StartError> {
        let listen: SocketAddr =
            parse(flags.listen.as_deref(), "--listen (NORA_LISTEN)", "127.0.0.1:8080", "an address and port")?;
        let metrics_listen = parse(
            flags.metrics_listen.as_deref(),
            "--metrics-listen (NORA_METRICS_LISTEN)",
            "127.0.0.1:9464",
            "an address and port",
        )?;
        let data_dir = flags.data_dir.unwrap_or_else(|| PathBuf::from("./nora-data"));
        let allowed: Networks = networks(flags.allow_network.as_deref(), "--allow-network (NORA_ALLOW_NETWORKS)")?;
        let runtimes = match flags.runtime_network.as_deref() {
            Some(text) => NetworkPolicy::runtimes(networks(Some(text), "--runtime-network (NORA_RUNTIME_NETWORKS)")?),
            None => NetworkPolicy::runtimes_by_default(listen.ip().is_loopback()),
        };
        Ok(Self {
            listen,
            public_url: public_url(flags.public_url.as_deref(), listen)?,
            metrics_listen,
            database: database(flags.database_url, &data_dir)?,
            vault_keyring: flags.vault_keyring.unwrap_or_else(|| data_dir.join("vault.keyring")),
            data_dir,
            third_parties: NetworkPolicy::third_parties(allowed),
            runtimes,
            providers_dir: flags.providers_dir,
            jwt: jwt()?,
            webhook_rate: webhook_rate(variable("NORA_WEBHOOK_RATE")?.as_deref())?,
            event_retention: retention("NORA_EVENT_RETENTION")?.unwrap_or(EVENTS_KEPT),
            audit_retention: retention("NORA_AUDIT_RETENTION")?,
        })
    }

    /// Whether anybody but this machine can reach the API.
    pub(crate) fn is_exposed(&self) -> bool {
        !self.listen.ip().is_loopback()
    }
}

/// The HTTP library says in several lines what one of ours says.
const DEFAULT_LOG: &str = "info,actix_server=warn";

/// `NORA_LOG_FORMAT` and `RUST_LOG`.
pub(crate) fn logging() -> Result<(LogFormat, String), StartError> {
    let format = match variable("NORA_LOG_FORMAT")?.as_deref() {
        None | Some("text") => LogFormat::Text,
        Some("json") => LogFormat::Json,
        Some(_) => return Err(StartError::new("NORA_LOG_FORMAT must be text or json")),
    };
    Ok((format, variable("RUST_LOG")?.unwrap_or_else(|| DEFAULT_LOG.to_owned())))
}

fn parse<T: FromStr>(text: Option<&str>, name: &str, default: &str, what: &str) -> Result<T, StartError> {
    text.unwrap_or(default).trim().parse().map_err(|_| StartError::new(format!("{name} must be {what}")))
}

fn networks(text: Option<&str>, name: &str) -> Result<Networks, StartError> {
    text.unwrap_or_default().parse().map_err(|error| StartError::because(format!("{name} is refused"), error))
}

fn public_url(text: Option<&str>, listen: SocketAddr) -> Result<Url, StartError> {
    let name = "--public-url (NORA_PUBLIC_URL)";
    let url: Url = parse(text, name, &format!("http://{listen}"), "an http or https URL")?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if plain && url.username().is_empty() && url.password().is_none() {
        Ok(url)
    } else {
        Err(StartError::new(format!("{name} must be an http or https URL without user, query or fragment")))
    }
}

fn database(url: Option<String>, data_dir: &std::path::Path) -> Result<Database, StartError> {
    let Some(url) = url else { return Ok(Database::Sqlite(data_dir.join("nora.db"))) };
    if let Some(path) = url.strip_prefix("sqlite://").filter(|path| !path.is_empty()) {
        return Ok(Database::Sqlite(PathBuf::from(path)));
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Database::Postgres(SecretUrl(std::sync::Arc::new(Secret::new(url)))));
    }
    Err(StartError::new("--database-url (NORA_DATABASE_URL) must begin with sqlite:// or postgres://"))
}

fn webhook_rate(text: Option<&str>) -> Result<u32, StartError> {
    parse(text, "NORA_WEBHOOK_RATE", "1000", "a number of webhooks a second and channel; 0 is off")
}

fn retention(name: &'static str) -> Result<Option<Duration>, StartError> {
    variable(name)?.map(|text| span(name, &text)).transpose()
}

/// A number of days, hours, minutes or seconds: `30d`, `12h`, `90m`, `45s`.
fn span(name: &str, text: &str) -> Result<Duration, StartError> {
    let text = text.trim();
    let refused = || StartError::new(format!("{name} must be a number above 0 with d, h, m or s: 30d"));
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let seconds: u64 = match text.strip_prefix(digits) {
        Some("d") => 86_400,
        Some("h") => 3_600,
        Some("m") => 60,
        Some("s") => 1,
        _ => return Err(refused()),
    };
    let number: u64 = digits.parse().map_err(|_| refused())?;
    let kept = number.checked_mul(seconds).filter(|kept| *kept > 0).ok_or_else(refused)?;
    Ok(Duration::from_secs(kept))
}

fn jwt() -> Result<Option<JwtSettings>, StartError> {
    let key = match (variable("NORA_JWT_SECRET")?, variable("NORA_JWT_JWKS_URL")?) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => return Err(StartError::new("set NORA_JWT_SECRET or NORA_JWT_JWKS_URL, not both")),
        (Some(secret), None) => JwtKey::Secret(Secret::new(secret)),
        (None, Some(url)) => JwtKey::Jwks(
            url.parse().map_err(|error| StartError::because("NORA_JWT_JWKS_URL must be a URL", Box::new(error)))?,
        ),
    };
    let needed = |name: &str| {
        let value = variable(name)?.filter(|value| !value.is_empty());
        value.ok_or_else(|| StartError::new(format!("{name} is required when JWTs are switched on")))
    };
    Ok(Some(JwtSettings { key, issuer: needed("NORA_JWT_ISSUER")?, audience: needed("NORA_JWT_AUDIENCE")? }))
}

fn variable(name: &str) -> Result<Option<String>, StartError> {
    #[expect(clippy::disallowed_methods, reason = "settings are read here and nowhere else")]
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(StartError::new(format!("{name} is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn settings(arguments: &[&str]) -> Result<Settings, StartError> {
        Settings::parse(Line::parse_from([&["nora"], arguments].concat()).flags)
    }

    #[test]
    fn the_defaults_are_the_contracts() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.public_url.as_str(), "http://127.0.0.1:8080/");
        assert_eq!(settings.metrics_listen.to_string(), "127.0.0.1:9464");
        assert!(matches!(settings.database, Database::Sqlite(path) if path.ends_with("nora-data/nora.db")));
        assert!(settings.vault_keyring.ends_with("nora-data/vault.keyring"));
        assert_eq!((settings.event_retention, settings.audit_retention), (Duration::from_hours(24 * 30), None));
    }

    #[test]
    fn a_refusal_names_the_setting_and_not_the_value() {
        let cases = [
            ("--listen", "CANARY", "NORA_LISTEN"),
            ("--database-url", "mysql://root:CANARY@db", "NORA_DATABASE_URL"),
            ("--allow-network", "CANARY", "NORA_ALLOW_NETWORKS"),
            ("--runtime-network", "10.0.0.0/99,CANARY", "NORA_RUNTIME_NETWORKS"),
            ("--public-url", "http://user:CANARY@host", "NORA_PUBLIC_URL"),
        ];
        for (flag, value, name) in cases {
            let line = settings(&[flag, value]).unwrap_err().line();
            assert!(line.contains(name), "{line}");
            assert!(!line.contains("CANARY"), "{line}");
        }
    }

    #[test]
    fn retention_is_a_number_with_a_unit() {
        assert_eq!(span("NORA_EVENT_RETENTION", "2d").unwrap(), Duration::from_hours(48));
        assert_eq!(span("NORA_EVENT_RETENTION", " 90m ").unwrap(), Duration::from_mins(90));
        for refused in ["", "30", "d", "0d", "-1d", "1.5d", "1w", "99999999999999999999d", "1dd"] {
            let line = span("NORA_EVENT_RETENTION", refused).unwrap_err().line();
            assert!(line.contains("NORA_EVENT_RETENTION"), "{refused}: {line}");
        }
        assert_eq!(webhook_rate(None).unwrap(), 1000);
        assert!(webhook_rate(Some("many")).is_err() && webhook_rate(Some("0")).is_ok());
    }

    #[test]
    fn a_database_url_is_not_shown() {
        let settings = settings(&["--database-url", "postgres://nora:CANARY@db/nora"]).unwrap();
        assert!(!format!("{settings:?}").contains("CANARY"));
    }
}
