//! The provider.

use async_trait::async_trait;
use nora_provider_sdk::{
    Connection, Context, FieldProblem, Manifest, ManifestError, NetworkError, Outcome, Provider, Secret, Stream,
    Transport,
};

use crate::classify::unreachable;
use crate::login::Guest;
use crate::session::Session;
use crate::uri::{Target, Uri};

const CONNECTION_STRING: &str = "connection_string";

/// MongoDB.
#[derive(Debug)]
pub struct Mongodb {
    manifest: Manifest,
}

impl Mongodb {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("mongodb.toml", include_str!("../manifest.toml")).map(|manifest| Self { manifest })
    }
}

#[async_trait]
impl Provider for Mongodb {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let mut problems = self.manifest.check_form(connection);
        let field = self.manifest.field(CONNECTION_STRING);
        let field = field.filter(|field| problems.iter().all(|problem| problem.field != field.name));
        let wrong = text(connection).and_then(|text| Uri::parse(text).err());
        problems.extend(
            field
                .zip(wrong)
                .map(|(field, detail)| FieldProblem { field: field.name.clone(), detail: detail.to_owned() }),
        );
        problems
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        match text(connection).map(Uri::parse) {
            Some(Ok(Uri::Host(target))) => target.test(connection, context).await.unwrap_or_else(|outcome| *outcome),
            Some(Ok(Uri::Untestable(advice))) => Outcome::unverifiable(advice),
            Some(Err(detail)) => Outcome::unverifiable(format!("Nothing was sent: the connection string {detail}.")),
            None => Outcome::unverifiable("Nothing was sent: a connection string is needed."),
        }
    }
}

fn text<'a>(connection: &Connection<'a>) -> Option<&'a Secret> {
    connection.secret(CONNECTION_STRING).filter(|text| !text.is_empty())
}

impl Target {
    async fn test(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let session = Session::new(self.connect(context).await?);
        let mut guest = Guest { session, tls: self.tls, connection: *connection };
        let outcome = match &self.login {
            Some(login) => guest.log_in(login).await?,
            None => guest.go_without().await?,
        };
        guest.session.leave().await;
        Ok(outcome)
    }

    async fn connect(&self, context: &dyn Context) -> Result<Box<dyn Stream>, Box<Outcome>> {
        let unreached = |error| Box::new(unreachable(error, self.tls));
        if !self.tls && self.login.is_some() {
            let stream = context.connect(&self.host, self.port, Transport::Plaintext).await;
            return stream.map_err(|error| match error {
                NetworkError::BlockedAddress => Box::new(Outcome::unreachable_in_the_clear(error)),
                other => unreached(other),
            });
        }
        let stream = context.connect(&self.host, self.port, Transport::Tls).await.map_err(unreached)?;
        if !self.tls {
            return Ok(stream);
        }
        context.start_tls(stream, &self.host).await.map_err(unreached)
    }
}
