//! Providers whose test is code: what is the same for all of them.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{Connection, Context, FieldProblem, Manifest, ManifestError, Outcome, Provider};

/// One attempt to prove the credentials of a connection, in a provider's own protocol.
///
/// [`coded`] makes a provider of it: the values are read in one place, for the form's check and for the test.
///
/// ```
/// use nora_provider_sdk::{Attempt, Connection, Context, Outcome, Request, Secret, Unready};
///
/// /// Asks Acme who the key belongs to.
/// struct WhoAmI {
///     key: Secret,
/// }
///
/// #[async_trait::async_trait]
/// impl Attempt for WhoAmI {
///     fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
///         let key = connection.entered("api_key").ok_or(Unready::Untestable("Nothing was sent: a key is needed."))?;
///         if !key.expose().starts_with("acme-") {
///             return Err(Unready::Field { name: "api_key", detail: "must begin with acme-" });
///         }
///         Ok(Self { key: key.duplicate() })
///     }
///
///     async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
///         let url = "https://api.acme.example/me".parse().expect("a URL");
///         let response = context.http().send(Request::get(url).bearer(&self.key)).await?;
///         let answer = response.json().filter(|_| response.status == 200);
///         match answer.as_ref().and_then(|answer| answer.pointer("/user/name")?.as_str()) {
///             Some(name) => Ok(Outcome::verified(connection.account(name)).with_status(response.status)),
///             None => Err(Outcome::by_status(&response, context.clock().now()).into()),
///         }
///     }
/// }
/// ```
#[async_trait]
pub trait Attempt: Send + Sized + 'static {
    /// Reads what the attempt needs, without I/O.
    ///
    /// # Errors
    ///
    /// Why nothing can be sent. A value that is absent is no fault of its field: it may be kept from before.
    fn read(connection: &Connection<'_>) -> Result<Self, Unready>;

    /// Carries it out, changing nothing at the third party.
    ///
    /// # Errors
    ///
    /// How the test ended before its end. `?` makes it of an [`Outcome`] and of a
    /// [`NetworkError`](crate::NetworkError).
    async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>>;
}

/// Why an [`Attempt`] cannot be made. No part of it repeats a value.
///
/// ```
/// use nora_provider_sdk::Unready;
///
/// let port = "70000".parse::<u16>().map_err(|_| Unready::Field { name: "port", detail: "must be at most 65535" });
/// assert!(matches!(port, Err(Unready::Field { name: "port", .. })));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unready {
    /// A value is absent, or may be good but cannot be tried: the sentence that the test ends with.
    Untestable(&'static str),
    /// A value has to be another one. It is refused before anything is stored.
    Field {
        /// The field's name in the manifest.
        name: &'static str,
        /// What to change, to be read after the field's title: "must be ...".
        detail: &'static str,
    },
}

/// A provider whose connections are tested by attempts of the type `A`.
///
/// ```
/// # use nora_provider_sdk::{Attempt, Connection, Context, Outcome, Unready};
/// # struct WhoAmI;
/// # #[async_trait::async_trait]
/// # impl Attempt for WhoAmI {
/// #     fn read(_: &Connection<'_>) -> Result<Self, Unready> { Ok(Self) }
/// #     async fn run(self, _: &Connection<'_>, _: &dyn Context) -> Result<Outcome, Box<Outcome>> {
/// #         Ok(Outcome::verified(None))
/// #     }
/// # }
/// let manifest = r#"
///     id = "acme"
///     name = "Acme"
///     category = "crm"
///     description = "Reads the contacts of an Acme CRM."
///     docs_url = "https://developers.acme.example"
///     auth_type = "apikey"
///     fields = [{ name = "api_key", title = "API key", secret = true, env = "ACME_API_KEY" }]
///     test = { code = true }
/// "#;
/// let provider = nora_provider_sdk::coded::<WhoAmI>("acme.toml", manifest)?;
/// assert_eq!(provider.manifest().id().as_str(), "acme");
/// # Ok::<(), nora_provider_sdk::ManifestError>(())
/// ```
///
/// # Errors
///
/// The manifest is refused; the tests of a provider crate parse it.
pub fn coded<A: Attempt>(file_name: &str, manifest: &str) -> Result<Arc<dyn Provider>, ManifestError> {
    Ok(Arc::new(Coded::<A>(Manifest::parse(file_name, manifest)?, PhantomData)))
}

struct Coded<A>(Manifest, PhantomData<fn() -> A>);

#[async_trait]
impl<A: Attempt> Provider for Coded<A> {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let mut problems = self.0.check_form(connection);
        if let Err(Unready::Field { name, detail }) = A::read(connection)
            && let Some(field) = self.0.field(name)
            && problems.iter().all(|problem| problem.field != field.name)
        {
            problems.push(FieldProblem { field: field.name.clone(), detail: detail.to_owned() });
        }
        problems
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        match A::read(connection) {
            Ok(attempt) => attempt.run(connection, context).await.unwrap_or_else(|outcome| *outcome),
            Err(Unready::Untestable(advice)) => Outcome::unverifiable(advice),
            Err(Unready::Field { name, detail }) => {
                let title = self.0.field(name).map_or(name, |field| field.title.as_str());
                Outcome::unverifiable(format!("Nothing was sent: \u{201c}{title}\u{201d} {detail}."))
            }
        }
    }
}
