//! Logging in, and asking who one is.

use bson::raw::cstr;
use bson::spec::BinarySubtype;
use bson::{Binary, RawBsonRef, RawDocument, RawDocumentBuf, rawdoc};
use nora_provider_sdk::scram::{MECHANISM, Proof, Scram, nonce};
use nora_provider_sdk::{Account, Connection, NetworkError, Outcome, Secret, Unreachable};

use crate::classify::{Step, advised, classify, no_mechanism};
use crate::session::{Session, number};

/// The database that questions about the server itself are asked in.
const ADMIN: &str = "admin";

const OPEN: &str = "The server asks for no login, so no credential was proved: whoever reaches it may use it.";
const NO_RANDOMNESS: &str = "Nothing was sent: the system has no randomness to give.";
const OTHER_SERVER: &str =
    "The server does not know the user's password itself. It may not be the one it is taken for.";
const NOBODY: &str = "The server took the login, but does not say whose it was.";

/// As whom to log in.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// The password as SCRAM takes it.
    pub(crate) prepared: Secret,
    /// The database that knows the user.
    pub(crate) source: String,
    /// Whether the connection string names the mechanism, so that the server is not asked for those it offers.
    pub(crate) mechanism_is_set: bool,
}

/// A session, and what a connection string says about it.
pub(crate) struct Guest<'a> {
    pub(crate) session: Session,
    pub(crate) tls: bool,
    pub(crate) connection: Connection<'a>,
}

impl Guest<'_> {
    /// Logs in, and asks whose login it was.
    pub(crate) async fn log_in(&mut self, login: &Login) -> Result<Outcome, Box<Outcome>> {
        if !login.mechanism_is_set {
            self.greet(login).await?;
        }
        self.prove(login).await?;
        let command = rawdoc! { "connectionStatus": 1, "showPrivileges": false };
        let reply = self.ask(Step::Use, command, ADMIN).await?;
        match user_of(&reply) {
            Some(name) => Ok(Outcome::verified(self.account(&name, login))),
            None => Err(Outcome::unreachable(Unreachable::UpstreamError).advise(NOBODY).into()),
        }
    }

    /// Goes without a login, which proves something only where everybody may ask. The answer is empty by its filter.
    pub(crate) async fn go_without(&mut self) -> Result<Outcome, Box<Outcome>> {
        let command = rawdoc! { "listDatabases": 1, "nameOnly": true, "filter": { "name": "" } };
        self.ask(Step::Anonymous, command, ADMIN).await?;
        Ok(Outcome::verified(None).advise(OPEN))
    }

    /// Says hello. The server says in return which mechanisms this user has.
    async fn greet(&mut self, login: &Login) -> Result<(), Box<Outcome>> {
        let user = format!("{}.{}", login.source, login.user);
        let reply = self.send(rawdoc! { "hello": 1, "saslSupportedMechs": user }, ADMIN).await?;
        // A user that does not exist has none, and old servers do not know the question. The login will tell.
        let Ok(offered) = reply.get_array("saslSupportedMechs") else { return Ok(()) };
        let mut offered = offered.into_iter().flatten().peekable();
        let is_offered = offered.peek().is_none() || offered.any(|name| name.as_str() == Some(MECHANISM));
        if is_offered { Ok(()) } else { Err(no_mechanism().into()) }
    }

    /// The SCRAM conversation.
    async fn prove(&mut self, login: &Login) -> Result<(), Box<Outcome>> {
        let nonce = nonce().map_err(|_| Outcome::unverifiable(NO_RANDOMNESS))?;
        let scram = Scram::new(&login.user, login.prepared.duplicate(), nonce);
        let start = rawdoc! {
            "saslStart": 1,
            "mechanism": MECHANISM,
            "payload": binary(scram.first()),
            "options": { "skipEmptyExchange": true },
        };
        let challenge = self.ask(Step::Login, start, &login.source).await?;
        let id = number(&challenge, "conversationId").ok_or(NetworkError::Protocol)?;
        let proof = payload(&challenge).and_then(|challenge| scram.prove(challenge)).ok_or(NetworkError::Protocol)?;
        let last = self.go_on(id, proof.message.clone(), &login.source).await?;
        known_to(&proof, &last)?;
        // Servers older than 4.4 want one more message, which says nothing.
        let is_done = is_true(&last, "done") || is_true(&self.go_on(id, String::new(), &login.source).await?, "done");
        if is_done { Ok(()) } else { Err(NetworkError::Protocol.into()) }
    }

    async fn go_on(&mut self, id: i32, payload: String, source: &str) -> Result<RawDocumentBuf, Box<Outcome>> {
        let command = rawdoc! { "saslContinue": 1, "conversationId": id, "payload": binary(payload) };
        self.ask(Step::Login, command, source).await
    }

    /// A command that must succeed.
    async fn ask(
        &mut self,
        step: Step,
        command: RawDocumentBuf,
        database: &str,
    ) -> Result<RawDocumentBuf, Box<Outcome>> {
        let reply = self.send(command, database).await?;
        if is_true(&reply, "ok") { Ok(reply) } else { Err(classify(step, &reply).into()) }
    }

    async fn send(&mut self, mut command: RawDocumentBuf, database: &str) -> Result<RawDocumentBuf, Box<Outcome>> {
        command.append(cstr!("$db"), database);
        let reply = self.session.ask(&command).await.map_err(Box::<Outcome>::from);
        reply.map_err(|outcome| advised(*outcome, self.tls).into())
    }

    /// The server's word, unless it repeats the password.
    fn account(&self, name: &str, login: &Login) -> Option<Account> {
        (!name.contains(login.password.expose())).then(|| self.connection.account(name))?
    }
}

fn known_to(proof: &Proof, last: &RawDocument) -> Result<(), Box<Outcome>> {
    let is_known = payload(last).is_some_and(|last| proof.is_answered_by(last));
    let other = || Outcome::unreachable(Unreachable::UpstreamError).advise(OTHER_SERVER);
    if is_known { Ok(()) } else { Err(other().into()) }
}

fn binary(text: String) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: text.into_bytes() }
}

fn payload(reply: &RawDocument) -> Option<&[u8]> {
    reply.get_binary("payload").ok().map(|binary| binary.bytes)
}

/// Whether a member is 1 or true: servers write `ok` as a double.
fn is_true(reply: &RawDocument, name: &str) -> bool {
    match reply.get(name) {
        Ok(Some(RawBsonRef::Double(number))) => (number - 1.0).abs() < f64::EPSILON,
        Ok(Some(RawBsonRef::Boolean(flag))) => flag,
        _ => number(reply, name) == Some(1),
    }
}

/// The first user that is logged in.
fn user_of(reply: &RawDocument) -> Option<String> {
    let users = reply.get_document("authInfo").ok()?.get_array("authenticatedUsers").ok()?;
    let user = users.into_iter().next()?.ok()?.as_document()?;
    let name = user.get_str("user").ok().filter(|name| !name.is_empty())?;
    Some(format!("{name}@{}", user.get_str("db").ok()?))
}
