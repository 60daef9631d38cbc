//! A provider of Google's: a key is exchanged, and the service is asked with the token.

use async_trait::async_trait;
use nora_provider_sdk::{Connection, Context, FieldProblem, Manifest, ManifestError, Outcome, Provider, Secret};

use crate::exchange::{Grant, exchange};
use crate::service_account::ServiceAccount;
use crate::services::{Asker, Service};

const KEY: &str = "service_account_json";

const NO_KEY: &str = "Nothing was sent: the key of a service account is needed.";
const INCOMPLETE: &str = "Nothing was sent: what the service is to be asked for is not filled in.";

/// One of Google's services.
pub(crate) struct Google {
    service: &'static Service,
    manifest: Manifest,
}

impl Google {
    pub(crate) fn new(service: &'static Service) -> Result<Self, ManifestError> {
        Manifest::parse(service.file, service.manifest).map(|manifest| Self { service, manifest })
    }

    /// `Err` is how the test ends early.
    async fn run(&self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let unsent = |advice: String| Box::new(Outcome::unverifiable(advice));
        let key = key(connection).ok_or_else(|| unsent(NO_KEY.to_owned()))?;
        let account = ServiceAccount::parse(key)
            .map_err(|problem| unsent(format!("Nothing was sent: the service account's key {problem}.")))?;
        let user = connection.text("delegated_user");
        let asker = Asker { connection, account: &account, name: user.as_deref().unwrap_or(&account.email) };
        let questions = (self.service.questions)(&asker).ok_or_else(|| unsent(INCOMPLETE.to_owned()))?;
        let grant = Grant { scope: self.service.scope, user: user.as_deref() };
        let token = exchange(&account, &grant, context).await?;
        let mut title = None;
        for question in &questions {
            title = question.ask(&token, context).await?;
        }
        let named = title.and_then(|title| connection.account(&format!("{} in {title}", asker.name)));
        let shown = named.or_else(|| connection.account(asker.name));
        Ok(Outcome { status: Some(200), ..Outcome::verified(shown) })
    }
}

#[async_trait]
impl Provider for Google {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let mut problems = self.manifest.check_form(connection);
        let field = self.manifest.field(KEY).filter(|key| problems.iter().all(|problem| problem.field != key.name));
        let wrong = key(connection).and_then(|key| ServiceAccount::parse(key).err());
        problems.extend(
            field
                .zip(wrong)
                .map(|(field, detail)| FieldProblem { field: field.name.clone(), detail: detail.to_owned() }),
        );
        problems
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        self.run(connection, context).await.unwrap_or_else(|outcome| *outcome)
    }
}

fn key<'a>(connection: &Connection<'a>) -> Option<&'a Secret> {
    connection.secret(KEY).filter(|key| !key.is_empty())
}
