//! A connection to one of Google's services: a key is exchanged, and the service is asked with the token.

use async_trait::async_trait;
use nora_provider_sdk::{Attempt, Connection, Context, Outcome, Unready};

use crate::exchange::{Grant, exchange};
use crate::question::Question;
use crate::service_account::ServiceAccount;
use crate::services::{Asker, Service};

const KEY: &str = "service_account_json";

const NO_KEY: &str = "Nothing was sent: the key of a service account is needed.";
const INCOMPLETE: &str = "Nothing was sent: what the service is to be asked for is not filled in.";

/// Who asks for a token, for which service, and what is asked with it.
pub(crate) struct Google {
    account: ServiceAccount,
    user: Option<String>,
    scope: &'static str,
    questions: Vec<Question>,
}

#[async_trait]
impl Attempt for Google {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        let key = connection.entered(KEY).ok_or(Unready::Untestable(NO_KEY))?;
        let account = ServiceAccount::parse(key).map_err(|detail| Unready::Field { name: KEY, detail })?;
        let user = connection.text("delegated_user");
        let asker = Asker { connection, account: &account, name: user.as_deref().unwrap_or(&account.email) };
        let service = Service::of(connection.manifest());
        let wanted = service.and_then(|service| Some((service.scope, (service.questions)(&asker)?)));
        let (scope, questions) = wanted.ok_or(Unready::Untestable(INCOMPLETE))?;
        Ok(Self { account, user, scope, questions })
    }

    async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let grant = Grant { scope: self.scope, user: self.user.as_deref() };
        let token = exchange(&self.account, &grant, context).await?;
        let mut title = None;
        for question in &self.questions {
            title = question.ask(&token, context).await?;
        }
        let name = grant.user.unwrap_or(&self.account.email);
        let named = title.and_then(|title| connection.account(&format!("{name} in {title}")));
        Ok(Outcome::verified(named.or_else(|| connection.account(name))).with_status(200))
    }
}
