//! The database URL, taken apart.

use std::net::IpAddr;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

use crate::error::ConnectError;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SslMode {
    Disable,
    Require,
    VerifyCa,
    VerifyFull,
}

/// Which authorities may vouch for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Those the caller trusts.
    Callers,
    /// Those in this file.
    File(PathBuf),
}

#[derive(Debug)]
pub(crate) struct Address {
    pub(crate) config: Config,
    pub(crate) mode: SslMode,
    pub(crate) roots: Roots,
}

impl Address {
    pub(crate) fn parse(url: &str) -> Result<Self, ConnectError> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(ConnectError::Url);
        }
        let (base, query) = split_query(url);
        let (mut mode, mut roots, mut kept) = (None, Roots::Callers, Vec::new());
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("sslmode", text)) => mode = Some(SslMode::parse(text)?),
                // As libpq has it, `system` names no file.
                Some(("sslrootcert", "system")) => roots = Roots::Callers,
                Some(("sslrootcert", path)) => {
                    let path = percent_decode_str(path).decode_utf8().map_err(|_| ConnectError::Url)?;
                    roots = Roots::File(PathBuf::from(path.as_ref()));
                }
                _ => kept.push(parameter),
            }
        }
        let separator = if kept.is_empty() { "" } else { "?" };
        let config = format!("{base}{separator}{}", kept.join("&")).parse::<Config>();
        let config = config.map_err(|_| ConnectError::Url)?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(ConnectError::Url);
        }
        let mode = mode.unwrap_or(if is_local(&config) { SslMode::Disable } else { SslMode::VerifyFull });
        Ok(Self { config, mode, roots })
    }
}

impl SslMode {
    fn parse(text: &str) -> Result<Self, ConnectError> {
        match text {
            "disable" => Ok(Self::Disable),
            "require" => Ok(Self::Require),
            "verify-ca" => Ok(Self::VerifyCa),
            "verify-full" => Ok(Self::VerifyFull),
            _ => Err(ConnectError::SslMode),
        }
    }
}

/// Splits at the question mark behind the user information, which may hold one itself.
fn split_query(url: &str) -> (&str, &str) {
    let behind_user = url.find('@').unwrap_or(0);
    let mark = url.get(behind_user..).and_then(|rest| rest.find('?')).map(|offset| behind_user + offset);
    mark.and_then(|mark| Some((url.get(..mark)?, url.get(mark + 1..)?))).unwrap_or((url, ""))
}

/// Whether everything the URL names lies on this machine.
fn is_local(config: &Config) -> bool {
    let is_loopback = |host: &str| host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(host) => is_loopback(host),
        Host::Unix(_) => true,
    });
    // An address, where there is one, is where the connection goes.
    if config.get_hostaddrs().is_empty() { hosts } else { config.get_hostaddrs().iter().all(IpAddr::is_loopback) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> SslMode {
        Address::parse(url).unwrap().mode
    }

    #[test]
    fn without_a_mode_only_this_machine_is_spoken_to_in_the_clear() {
        for local in [
            "postgres://nora@localhost/nora",
            "postgresql://nora:p@127.0.0.1:5433/nora",
            "postgres://nora@%2Fvar%2Frun%2Fpostgresql/nora",
            "postgres:///nora?host=/var/run/postgresql&user=nora",
            "postgres://nora@db/nora?hostaddr=127.0.0.1",
        ] {
            assert_eq!(mode(local), SslMode::Disable, "{local}");
        }
        for far in [
            "postgres://nora@db/nora",
            "postgres://nora@10.0.0.5/nora",
            "postgres://nora@localhost,db/nora",
            "postgres://nora@localhost/nora?hostaddr=10.0.0.5",
        ] {
            assert_eq!(mode(far), SslMode::VerifyFull, "{far}");
        }
    }

    #[test]
    fn modes_that_promise_nothing_are_refused() {
        assert_eq!(mode("postgres://nora@db/nora?sslmode=disable"), SslMode::Disable);
        assert_eq!(mode("postgres://nora@localhost/nora?connect_timeout=3&sslmode=verify-ca"), SslMode::VerifyCa);
        for mode in ["prefer", "allow", "", "VERIFY-FULL"] {
            let refused = Address::parse(&format!("postgres://nora@db/nora?sslmode={mode}")).unwrap_err();
            assert!(matches!(refused, ConnectError::SslMode), "{mode}");
        }
    }

    #[test]
    fn a_root_certificate_is_a_file_unless_it_is_the_systems() {
        let address = Address::parse("postgres://nora@db/nora?sslrootcert=/etc/my%20ca.pem&sslmode=verify-ca").unwrap();
        assert_eq!(address.roots, Roots::File("/etc/my ca.pem".into()));
        let address = Address::parse("postgres://nora@db/nora?sslrootcert=system").unwrap();
        assert_eq!(address.roots, Roots::Callers);
    }

    #[test]
    fn other_parameters_and_odd_passwords_survive() {
        let address = Address::parse("postgres://nora:p?w&x@db:7/nora?sslmode=require&application_name=me").unwrap();
        assert_eq!(address.config.get_password(), Some(b"p?w&x".as_slice()));
        assert_eq!(address.config.get_application_name(), Some("me"));
        assert_eq!((address.config.get_ports(), address.mode), ([7].as_slice(), SslMode::Require));
    }

    #[test]
    fn no_error_quotes_the_url() {
        for broken in [
            "postgres://nora:CANARY@db:port/nora",
            "postgres://nora@db/nora?CANARY=1",
            "mysql://nora:CANARY@db/nora",
            "postgres://nora:CANARY@db/nora?sslmode=CANARY",
            "postgres:///CANARY",
        ] {
            let error = Address::parse(broken).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("CANARY"), "{shown}");
        }
    }
}
