//! The connection string.

use nora_provider_sdk::Secret;
use percent_encoding::percent_decode_str;

use crate::scram::prepare;

const DEFAULT_PORT: u16 = 27017;
const DEFAULT_SOURCE: &str = "admin";

const NOT_A_URI: &str = "must begin with mongodb:// or mongodb+srv://";
const NOT_ENCODED: &str = "must have @ : / ? # [ ] and % in its user name, password and options percent-encoded";
const BAD_HOST: &str = "must name a host, and after a colon a port if it has one";
const BAD_OPTION: &str = "must have options of the form name=value, with & between them";
const NO_PASSWORD: &str = "must hold a password with its user name";
const BAD_PASSWORD: &str = "has a password with characters that no MongoDB password has";

const SRV: &str = "Nothing was sent: mongodb+srv:// stands for hosts that only DNS knows (SRV and TXT records), which a connection test does not look up. To have it tested, use mongodb:// with one of the hosts and tls=true.";
const SEVERAL: &str = "Nothing was sent: a connection test goes to one host, and the connection string names several.";
const SOCKET: &str = "Nothing was sent: the connection string names a socket of the machine it is used on.";
const MECHANISM: &str = "Nothing was sent: a connection test logs in with SCRAM-SHA-256 alone, and the connection string asks for something else.";
const OWN_CERTIFICATE: &str =
    "Nothing was sent: the connection string names certificate files, which a connection test does not have.";
const DETOUR: &str = "Nothing was sent: the connection string leads through a proxy or load balancer, which a connection test does not use.";

/// What a connection string comes to.
pub(crate) enum Uri {
    /// It can be tried.
    Host(Target),
    /// It may be good, but cannot be tried, and this is why.
    Untestable(&'static str),
}

/// The host to log in to.
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
    /// `None` where there is no user.
    pub(crate) login: Option<Login>,
}

/// As whom to log in.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// The database that knows the user.
    pub(crate) source: String,
    /// Whether the connection string names the mechanism, so that the server is not asked for those it offers.
    pub(crate) mechanism_is_set: bool,
}

impl Uri {
    /// The error says what to change, and repeats nothing.
    pub(crate) fn parse(text: &Secret) -> Result<Self, &'static str> {
        let (scheme, rest) = text.expose().split_once("://").ok_or(NOT_A_URI)?;
        let is_srv = scheme.eq_ignore_ascii_case("mongodb+srv");
        if !is_srv && !scheme.eq_ignore_ascii_case("mongodb") {
            return Err(NOT_A_URI);
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        if path.contains(['@', '/']) || query.contains('@') || authority.contains('#') {
            return Err(NOT_ENCODED);
        }
        let options = Options::parse(query)?;
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        let login = user.map(|user| login(user, path, &options)).transpose()?.flatten();
        if hosts.is_empty() {
            return Err(BAD_HOST);
        }
        if let Some(obstacle) = obstacle(is_srv, hosts, &options) {
            return Ok(Self::Untestable(obstacle));
        }
        let (host, port) = host(hosts).ok_or(BAD_HOST)?;
        Ok(Self::Host(Target { host, port, tls: options.is_on("tls") || options.is_on("ssl"), login }))
    }
}

/// Options by their names in lower case.
struct Options(Vec<(String, String)>);

impl Options {
    fn parse(query: &str) -> Result<Self, &'static str> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').ok_or(BAD_OPTION)?;
            Ok((name.to_ascii_lowercase(), decode(value)?))
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }

    /// Where an option is repeated, the last counts.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }

    fn is_on(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// What a test cannot do.
fn obstacle(is_srv: bool, hosts: &str, options: &Options) -> Option<&'static str> {
    let has = |name: &str| options.get(name).is_some();
    let mechanism = options.get("authmechanism");
    if is_srv {
        Some(SRV)
    } else if hosts.contains(',') {
        Some(SEVERAL)
    } else if hosts.contains('%') {
        Some(SOCKET)
    } else if mechanism.is_some_and(|mechanism| mechanism != "SCRAM-SHA-256") {
        Some(MECHANISM)
    } else if has("tlscafile") || has("tlscertificatekeyfile") {
        Some(OWN_CERTIFICATE)
    } else if has("proxyhost") || options.is_on("loadbalanced") {
        Some(DETOUR)
    } else {
        None
    }
}

/// `None` where the mechanism needs no password and there is none.
fn login(user_info: &str, path: &str, options: &Options) -> Result<Option<Login>, &'static str> {
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    if user_info.contains('@') || password.contains(':') {
        return Err(NOT_ENCODED);
    }
    let mechanism = options.get("authmechanism");
    let (user, password, database) = (decode(user)?, Secret::new(decode(password)?), decode(path)?);
    if user.is_empty() || password.is_empty() {
        let needs_none = mechanism.is_some_and(|mechanism| !mechanism.starts_with("SCRAM-"));
        return if needs_none { Ok(None) } else { Err(NO_PASSWORD) };
    }
    prepare(&password).map_err(|_| BAD_PASSWORD)?;
    let source = options.get("authsource").map(str::to_owned).or(Some(database)).filter(|source| !source.is_empty());
    Ok(Some(Login {
        user,
        password,
        source: source.unwrap_or_else(|| DEFAULT_SOURCE.to_owned()),
        mechanism_is_set: mechanism.is_some(),
    }))
}

fn decode(text: &str) -> Result<String, &'static str> {
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return Err(NOT_ENCODED);
    }
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| NOT_ENCODED)
}

/// One host and its port. IPv6 addresses stand in brackets.
fn host(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (address, port)
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if port.is_empty() => DEFAULT_PORT,
        None => return None,
    };
    (!host.is_empty() && host.bytes().all(is_name)).then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Uri, &'static str> {
        Uri::parse(&Secret::new(text.to_owned()))
    }

    fn target(text: &str) -> Target {
        match parse(text) {
            Ok(Uri::Host(target)) => target,
            Ok(Uri::Untestable(why)) => panic!("{text}: {why}"),
            Err(problem) => panic!("{text}: {problem}"),
        }
    }

    #[test]
    fn one_host_is_taken_with_its_port() {
        for (text, host, port, tls) in [
            ("mongodb://db.example.com", "db.example.com", 27017, false),
            ("mongodb://DB.example.com:28000/", "db.example.com", 28000, false),
            ("MongoDB://db.example.com/?TLS=true", "db.example.com", 27017, true),
            ("mongodb://db.example.com?ssl=true&replicaSet=rs0", "db.example.com", 27017, true),
            ("mongodb://192.0.2.7:1/orders", "192.0.2.7", 1, false),
            ("mongodb://[2001:db8::7]:28000", "2001:db8::7", 28000, false),
        ] {
            let target = target(text);
            assert_eq!((target.host.as_str(), target.port, target.tls), (host, port, tls), "{text}");
            assert!(target.login.is_none());
        }
    }

    #[test]
    fn the_user_is_looked_for_in_one_database() {
        for (text, source) in [
            ("mongodb://app:word@db.example", "admin"),
            ("mongodb://app:word@db.example/orders", "orders"),
            ("mongodb://app:word@db.example/orders?authSource=users", "users"),
        ] {
            let login = target(text).login.unwrap();
            assert_eq!((login.user.as_str(), login.source.as_str()), ("app", source), "{text}");
        }
        let login = target("mongodb://a%40b:%70%C3%A4%2Fs%3As@db.example/?authMechanism=SCRAM-SHA-256").login.unwrap();
        assert_eq!((login.user.as_str(), login.password.expose()), ("a@b", "pä/s:s"));
        assert!(login.mechanism_is_set);
    }

    #[test]
    fn what_a_test_cannot_do_is_said() {
        for (text, expected) in [
            ("mongodb+srv://app:word@cluster.example.mongodb.net/", SRV),
            ("mongodb://app:word@a.example,b.example:27018/", SEVERAL),
            ("mongodb://app:word@%2Ftmp%2Fmongodb-27017.sock", SOCKET),
            ("mongodb://app:word@db.example/?authMechanism=SCRAM-SHA-1", MECHANISM),
            ("mongodb://CN%3Dapp@db.example/?authMechanism=MONGODB-X509", MECHANISM),
            ("mongodb://app:word@db.example/?tls=true&tlsCAFile=%2Fetc%2Fca.pem", OWN_CERTIFICATE),
            ("mongodb://app:word@db.example/?proxyHost=proxy.example", DETOUR),
            ("mongodb://app:word@db.example/?loadBalanced=true", DETOUR),
        ] {
            assert!(matches!(parse(text), Ok(Uri::Untestable(why)) if why == expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_connection_string_is_refused() {
        for (text, expected) in [
            ("db.example.com:27017", NOT_A_URI),
            ("postgresql://db.example", NOT_A_URI),
            ("mongodb://", BAD_HOST),
            ("mongodb://app:word@", BAD_HOST),
            ("mongodb://db.example:0", BAD_HOST),
            ("mongodb://db.example:65536", BAD_HOST),
            ("mongodb://2001:db8::7", BAD_HOST),
            ("mongodb://[db.example]", BAD_HOST),
            ("mongodb://db exa.mple", BAD_HOST),
            ("mongodb://app:wo@rd@db.example", NOT_ENCODED),
            ("mongodb://app:wo:rd@db.example", NOT_ENCODED),
            ("mongodb://app:123/rd@db.example", NOT_ENCODED),
            ("mongodb://app:123?rd@db.example", NOT_ENCODED),
            ("mongodb://app:wo%rd@db.example", NOT_ENCODED),
            ("mongodb://app:%ff@db.example", NOT_ENCODED),
            ("mongodb://app:word@db.example/?tls", BAD_OPTION),
            ("mongodb://app@db.example", NO_PASSWORD),
            ("mongodb://app:%07@db.example", BAD_PASSWORD),
        ] {
            assert_eq!(parse(text).err(), Some(expected), "{text}");
        }
    }
}
