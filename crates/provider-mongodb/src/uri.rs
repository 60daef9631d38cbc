//! The connection string.

use async_trait::async_trait;
use nora_provider_sdk::connection_string::{ConnectionString, User};
use nora_provider_sdk::scram::{MECHANISM, prepare};
use nora_provider_sdk::{Attempt, Connection, Context, Outcome, Secret, Transport, Unready, Wire};

use crate::classify::advised;
use crate::login::{Guest, Login};
use crate::session::Session;

const FIELD: &str = "connection_string";
const DEFAULT_PORT: u16 = 27017;
const DEFAULT_SOURCE: &str = "admin";

const NOT_A_URI: &str = "must begin with mongodb:// or mongodb+srv://";
const BAD_HOST: &str = "must name a host, and after a colon a port if it has one";
const NO_PASSWORD: &str = "must hold a password with its user name";
const BAD_PASSWORD: &str = "has a password with characters that no MongoDB password has";

const ABSENT: &str = "Nothing was sent: a connection string is needed.";
const SRV: &str = "Nothing was sent: mongodb+srv:// stands for hosts that only DNS knows (SRV and TXT records), which a connection test does not look up. To have it tested, use mongodb:// with one of the hosts and tls=true.";
const SEVERAL: &str = "Nothing was sent: a connection test goes to one host, and the connection string names several.";
const SOCKET: &str = "Nothing was sent: the connection string names a socket of the machine it is used on.";
const OTHER_MECHANISM: &str = "Nothing was sent: a connection test logs in with SCRAM-SHA-256 alone, and the connection string asks for something else.";
const OWN_CERTIFICATE: &str =
    "Nothing was sent: the connection string names certificate files, which a connection test does not have.";
const DETOUR: &str = "Nothing was sent: the connection string leads through a proxy or load balancer, which a connection test does not use.";

/// The host to log in to.
pub(crate) struct Target {
    host: String,
    port: u16,
    tls: bool,
    /// `None` where there is no user.
    login: Option<Login>,
}

#[async_trait]
impl Attempt for Target {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        let text = connection.entered(FIELD).ok_or(Unready::Untestable(ABSENT))?;
        Self::parse(text)
    }

    async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let wire = self.connect(context).await.map_err(|outcome| advised(*outcome, self.tls))?;
        let mut guest = Guest { session: Session::new(wire), tls: self.tls, connection: *connection };
        let outcome = match &self.login {
            Some(login) => guest.log_in(login).await?,
            None => guest.go_without().await?,
        };
        guest.session.leave().await;
        Ok(outcome)
    }
}

impl Target {
    fn parse(text: &Secret) -> Result<Self, Unready> {
        let parts = ConnectionString::parse(text).map_err(wrong)?;
        if !matches!(parts.scheme.as_str(), "mongodb" | "mongodb+srv") {
            return Err(wrong(NOT_A_URI));
        }
        let login = parts.user.as_ref().map(|user| login(user, &parts)).transpose().map_err(wrong)?.flatten();
        if let Some(obstacle) = obstacle(&parts) {
            return Err(Unready::Untestable(obstacle));
        }
        let (host, port) = parts.host(DEFAULT_PORT).ok_or(wrong(BAD_HOST))?;
        Ok(Self { host, port, tls: parts.is_on("tls") || parts.is_on("ssl"), login })
    }

    async fn connect(&self, context: &dyn Context) -> Result<Wire, Box<Outcome>> {
        let may_go_in_the_clear = !self.tls && self.login.is_some();
        let transport = if may_go_in_the_clear { Transport::Plaintext } else { Transport::Tls };
        let wire = Wire::connect(context, &self.host, self.port, transport).await?;
        if self.tls { Ok(wire.start_tls(context, &self.host).await?) } else { Ok(wire) }
    }
}

const fn wrong(detail: &'static str) -> Unready {
    Unready::Field { name: FIELD, detail }
}

/// What a test cannot do.
fn obstacle(parts: &ConnectionString) -> Option<&'static str> {
    let has = |name: &str| parts.option(name).is_some();
    let obstacles = [
        (parts.scheme == "mongodb+srv", SRV),
        (parts.hosts.contains(','), SEVERAL),
        (parts.hosts.contains('%'), SOCKET),
        (parts.option("authMechanism").is_some_and(|mechanism| mechanism != MECHANISM), OTHER_MECHANISM),
        (has("tlsCAFile") || has("tlsCertificateKeyFile"), OWN_CERTIFICATE),
        (has("proxyHost") || parts.is_on("loadBalanced"), DETOUR),
    ];
    obstacles.into_iter().find(|(is_there, _)| *is_there).map(|(_, why)| why)
}

/// `None` where the mechanism needs no password and there is none.
fn login(user: &User, parts: &ConnectionString) -> Result<Option<Login>, &'static str> {
    let mechanism = parts.option("authMechanism");
    if user.name.is_empty() || user.password.is_empty() {
        let needs_none = mechanism.is_some_and(|mechanism| !mechanism.starts_with("SCRAM-"));
        return if needs_none { Ok(None) } else { Err(NO_PASSWORD) };
    }
    let sources = [parts.option("authSource").unwrap_or(&parts.path), DEFAULT_SOURCE];
    let source = sources.into_iter().find(|source| !source.is_empty()).unwrap_or_default();
    Ok(Some(Login {
        user: user.name.clone(),
        password: user.password.duplicate(),
        prepared: prepare(&user.password).map_err(|_| BAD_PASSWORD)?,
        source: source.to_owned(),
        mechanism_is_set: mechanism.is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Target, Unready> {
        Target::parse(&Secret::new(text.to_owned()))
    }

    fn target(text: &str) -> Target {
        parse(text).unwrap_or_else(|unready| panic!("{text}: {unready:?}"))
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
            ("mongodb://app:word@db.example/?authMechanism=SCRAM-SHA-1", OTHER_MECHANISM),
            ("mongodb://CN%3Dapp@db.example/?authMechanism=MONGODB-X509", OTHER_MECHANISM),
            ("mongodb://app:word@db.example/?tls=true&tlsCAFile=%2Fetc%2Fca.pem", OWN_CERTIFICATE),
            ("mongodb://app:word@db.example/?proxyHost=proxy.example", DETOUR),
            ("mongodb://app:word@db.example/?loadBalanced=true", DETOUR),
        ] {
            assert_eq!(parse(text).err(), Some(Unready::Untestable(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_connection_string_is_refused() {
        for (text, expected) in [
            ("postgresql://db.example", NOT_A_URI),
            ("mongodb://db.example:0", BAD_HOST),
            ("mongodb://db.example:65536", BAD_HOST),
            ("mongodb://2001:db8::7", BAD_HOST),
            ("mongodb://[db.example]", BAD_HOST),
            ("mongodb://db exa.mple", BAD_HOST),
            ("mongodb://app@db.example", NO_PASSWORD),
            ("mongodb://app:%07@db.example", BAD_PASSWORD),
        ] {
            assert_eq!(parse(text).err(), Some(wrong(expected)), "{text}");
        }
    }
}
