//! Connection strings: URIs that hold a login, as databases and brokers take them.

use nora_kernel::Secret;
use percent_encoding::percent_decode_str;

const NOT_A_URI: &str = "must be a URI: the protocol's name, :// and a host";
const NOT_ENCODED: &str = "must have @ : / ? # [ ] and % in its user name, password and options percent-encoded";
const NO_HOST: &str = "must name a host, and after a colon a port if it has one";
const BAD_OPTION: &str = "must have options of the form name=value, with & between them";

/// The parts of a connection string, decoded.
///
/// What programs take apart differently, such as an `@` in a password, is refused.
///
/// ```
/// use nora_provider_sdk::Secret;
/// use nora_provider_sdk::connection_string::ConnectionString;
///
/// let text = Secret::new("amqps://app:p%40ss@broker.example/orders?heartbeat=10".to_owned());
/// let parts = ConnectionString::parse(&text)?;
/// assert_eq!((parts.scheme.as_str(), parts.path.as_str()), ("amqps", "orders"));
/// assert_eq!(parts.host(5671), Some(("broker.example".to_owned(), 5671)));
/// assert_eq!(parts.option("Heartbeat"), Some("10"));
/// let user = parts.user.expect("a user");
/// assert_eq!((user.name.as_str(), user.password.expose()), ("app", "p@ss"));
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct ConnectionString {
    /// The protocol's name, in lower case.
    pub scheme: String,
    /// The login, if there is one.
    pub user: Option<User>,
    /// The hosts as they are written: several have commas between them, and each may have a port.
    pub hosts: String,
    /// What follows the first slash, often a database. Empty if nothing does.
    pub path: String,
    options: Vec<(String, String)>,
}

/// A user name and its password, either of which may be empty.
///
/// ```
/// use nora_provider_sdk::Secret;
/// use nora_provider_sdk::connection_string::User;
///
/// let user = User { name: "app".to_owned(), password: Secret::new("word".to_owned()) };
/// assert!(!format!("{user:?}").contains("word\""));
/// ```
#[derive(Debug)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: Secret,
}

impl ConnectionString {
    /// Takes `text` apart.
    ///
    /// # Errors
    ///
    /// What to change. It repeats nothing of the text.
    pub fn parse(text: &Secret) -> Result<Self, &'static str> {
        let (scheme, rest) = text.expose().split_once("://").ok_or(NOT_A_URI)?;
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        if path.contains(['@', '/']) || query.contains('@') || authority.contains('#') {
            return Err(NOT_ENCODED);
        }
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(User::parse(user)?), hosts),
            None => (None, authority),
        };
        if hosts.is_empty() {
            return Err(NO_HOST);
        }
        let (scheme, hosts) = (scheme.to_ascii_lowercase(), hosts.to_owned());
        Ok(Self { scheme, user, hosts, path: decode(path)?, options: options(query)? })
    }

    /// An option by its name, whose case is no matter. Where an option is repeated, the last counts.
    pub fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().rev().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Whether an option is `true`.
    pub fn is_on(&self, name: &str) -> bool {
        self.option(name) == Some("true")
    }

    /// The host, in lower case, and its port. `None` if it is not well formed, or not one alone. IPv6 addresses stand in
    /// brackets.
    pub fn host(&self, default_port: u16) -> Option<(String, u16)> {
        let (host, port) = match self.hosts.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (address, port)
            }
            None => self.hosts.split_at(self.hosts.find(':').unwrap_or(self.hosts.len())),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':');
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().ok().filter(|port| *port > 0)?,
            None if port.is_empty() => default_port,
            None => return None,
        };
        (!host.is_empty() && host.bytes().all(is_name)).then(|| (host.to_ascii_lowercase(), port))
    }
}

impl User {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let (name, password) = text.split_once(':').unwrap_or((text, ""));
        if text.contains('@') || password.contains(':') {
            return Err(NOT_ENCODED);
        }
        Ok(Self { name: decode(name)?, password: Secret::new(decode(password)?) })
    }
}

fn options(query: &str) -> Result<Vec<(String, String)>, &'static str> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').ok_or(BAD_OPTION)?;
        Ok((name.to_owned(), decode(value)?))
    });
    pairs.collect()
}

fn decode(text: &str) -> Result<String, &'static str> {
    let is_escape =
        |rest: &str| rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(is_escape) {
        return Err(NOT_ENCODED);
    }
    percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).map_err(|_| NOT_ENCODED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<ConnectionString, &'static str> {
        ConnectionString::parse(&Secret::new(text.to_owned()))
    }

    #[test]
    fn one_host_is_taken_with_its_port() {
        for (text, host, port) in [
            ("db://db.example.com", "db.example.com", 27017),
            ("DB://DB.example.com:28000/", "db.example.com", 28000),
            ("db://db.example.com?ssl=true", "db.example.com", 27017),
            ("db://192.0.2.7:1/orders", "192.0.2.7", 1),
            ("db://[2001:db8::7]:28000", "2001:db8::7", 28000),
        ] {
            let parts = parse(text).unwrap();
            assert_eq!((parts.scheme.as_str(), parts.host(27017)), ("db", Some((host.to_owned(), port))), "{text}");
            assert!(parts.user.is_none());
        }
        for text in ["db://db.example:0", "db://db.example:65536", "db://2001:db8::7", "db://[db.example]", "db://a,b"]
        {
            assert_eq!(parse(text).unwrap().host(27017), None, "{text}");
        }
    }

    #[test]
    fn the_last_of_an_option_counts() {
        let parts = parse("db://a.example/?Tls=false&TLS=true&name=a%26b&&empty=").unwrap();
        assert!(parts.is_on("tls"));
        assert_eq!((parts.option("name"), parts.option("empty"), parts.option("x")), (Some("a&b"), Some(""), None));
    }

    #[test]
    fn what_is_read_in_two_ways_is_refused() {
        for (text, expected) in [
            ("db.example.com:27017", NOT_A_URI),
            ("db://", NO_HOST),
            ("db://app:word@", NO_HOST),
            ("db://app:wo@rd@db.example", NOT_ENCODED),
            ("db://app:wo:rd@db.example", NOT_ENCODED),
            ("db://app:123/rd@db.example", NOT_ENCODED),
            ("db://app:123?rd@db.example", NOT_ENCODED),
            ("db://app:12#rd@db.example", NOT_ENCODED),
            ("db://app:wo%rd@db.example", NOT_ENCODED),
            ("db://app:%ff@db.example", NOT_ENCODED),
            ("db://app:word@db.example/?tls", BAD_OPTION),
        ] {
            assert_eq!(parse(text).err(), Some(expected), "{text}");
        }
    }
}
