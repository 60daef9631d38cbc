//! Logging in, and asking who one is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_provider_sdk::signature::random_bytes;
use nora_provider_sdk::{Account, Connection, Outcome, Unreachable};

use crate::bson::{Bson, Document};
use crate::classify::{Step, classify, no_mechanism, not_spoken, unreachable};
use crate::scram::{Proof, Scram};
use crate::session::Session;
use crate::uri::Login;

const MECHANISM: &str = "SCRAM-SHA-256";

/// The database that questions about the server itself are asked in.
const ADMIN: &str = "admin";

const OPEN: &str = "The server asks for no login, so no credential was proved: whoever reaches it may use it.";
const NO_RANDOMNESS: &str = "Nothing was sent: the system has no randomness to give.";
const OTHER_SERVER: &str =
    "The server does not know the user's password itself. It may not be the one it is taken for.";
const NOBODY: &str = "The server took the login, but does not say whose it was.";

/// A session, and what a connection string says about it.
pub(crate) struct Guest<'a> {
    pub(crate) session: Session,
    pub(crate) tls: bool,
    pub(crate) connection: Connection<'a>,
}

impl Guest<'_> {
    /// Logs in, and asks whose login it was.
    pub(crate) async fn log_in(&mut self, login: &Login) -> Result<Outcome, Box<Outcome>> {
        self.greet(login).await?;
        self.prove(login).await?;
        let command = Document::default().with("connectionStatus", 1).with("showPrivileges", false);
        let reply = self.ask(Step::Use, command, ADMIN).await?;
        let name =
            user_of(&reply).ok_or_else(|| Box::new(Outcome::unreachable(Unreachable::UpstreamError).advise(NOBODY)))?;
        Ok(Outcome::verified(self.account(&name, login)))
    }

    /// Goes without a login, which proves something only where everybody may ask. The answer is empty by its filter.
    pub(crate) async fn go_without(&mut self) -> Result<Outcome, Box<Outcome>> {
        let none = Document::default().with("name", "");
        let command = Document::default().with("listDatabases", 1).with("nameOnly", true).with("filter", none);
        self.ask(Step::Anonymous, command, ADMIN).await?;
        Ok(Outcome::verified(None).advise(OPEN))
    }

    /// Says hello. The server says in return which mechanisms this user has.
    async fn greet(&mut self, login: &Login) -> Result<(), Box<Outcome>> {
        if login.mechanism_is_set {
            return Ok(());
        }
        let user = format!("{}.{}", login.source, login.user);
        let command = Document::default().with("hello", 1).with("saslSupportedMechs", user.as_str());
        let reply = self.send(command, ADMIN).await?;
        // A user that does not exist has none, and old servers do not know the question. The login will tell.
        let mut offered = reply.items("saslSupportedMechs").into_iter().flatten().peekable();
        let is_offered = offered.peek().is_none() || offered.any(|name| *name == Bson::from(MECHANISM));
        if is_offered { Ok(()) } else { Err(Box::new(no_mechanism())) }
    }

    /// The SCRAM conversation.
    async fn prove(&mut self, login: &Login) -> Result<(), Box<Outcome>> {
        let unsent = || Box::new(Outcome::unverifiable(NO_RANDOMNESS));
        let nonce = STANDARD.encode(random_bytes::<24>().map_err(|_| unsent())?);
        let scram = Scram::new(&login.user, &login.password, nonce).map_err(|_| unsent())?;
        let options = Document::default().with("skipEmptyExchange", true);
        let start = Document::default().with("saslStart", 1).with("mechanism", MECHANISM);
        let start = start.with("payload", scram.first().into_bytes()).with("options", options);
        let challenge = self.ask(Step::Login, start, &login.source).await?;
        let id = challenge.number("conversationId").ok_or_else(|| Box::new(not_spoken()))?;
        let proof = challenge
            .binary("payload")
            .and_then(|challenge| scram.prove(challenge))
            .ok_or_else(|| Box::new(not_spoken()))?;
        let last = self.go_on(id, proof.message.as_bytes(), &login.source).await?;
        known_to(&proof, &last)?;
        // Servers older than 4.4 want one more message, which says nothing.
        let is_done = last.is_true("done") || self.go_on(id, b"", &login.source).await?.is_true("done");
        if is_done { Ok(()) } else { Err(Box::new(not_spoken())) }
    }

    async fn go_on(&mut self, id: i32, payload: &[u8], source: &str) -> Result<Document, Box<Outcome>> {
        let command = Document::default().with("saslContinue", 1).with("conversationId", id);
        self.ask(Step::Login, command.with("payload", payload.to_vec()), source).await
    }

    /// A command that must succeed.
    async fn ask(&mut self, step: Step, command: Document, database: &str) -> Result<Document, Box<Outcome>> {
        let reply = self.send(command, database).await?;
        if reply.is_true("ok") { Ok(reply) } else { Err(Box::new(classify(step, &reply))) }
    }

    async fn send(&mut self, command: Document, database: &str) -> Result<Document, Box<Outcome>> {
        let tls = self.tls;
        self.session.ask(&command.with("$db", database)).await.map_err(|error| Box::new(unreachable(error, tls)))
    }

    /// The server's word, unless it repeats the password.
    fn account(&self, name: &str, login: &Login) -> Option<Account> {
        (!name.contains(login.password.expose())).then(|| self.connection.account(name))?
    }
}

fn known_to(proof: &Proof, last: &Document) -> Result<(), Box<Outcome>> {
    let is_known = last.binary("payload").is_some_and(|last| proof.is_answered_by(last));
    let other = || Box::new(Outcome::unreachable(Unreachable::UpstreamError).advise(OTHER_SERVER));
    if is_known { Ok(()) } else { Err(other()) }
}

/// The first user that is logged in.
fn user_of(reply: &Document) -> Option<String> {
    let mut users = reply.document("authInfo")?.items("authenticatedUsers")?;
    let Bson::Document(user) = users.next()? else { return None };
    let name = user.text("user").filter(|name| !name.is_empty())?;
    Some(format!("{name}@{}", user.text("db")?))
}
