//! The provider.

use async_trait::async_trait;
use nora_provider_sdk::{Connection, Context, FieldProblem, Manifest, ManifestError, Outcome, Provider};

use crate::access::Access;
use crate::kubeconfig::{Kubeconfig, Problem};
use crate::review::review;

const KUBECONFIG: &str = "kubeconfig";
const CONTEXT: &str = "context";

/// Kubernetes.
#[derive(Debug)]
pub struct Kubernetes {
    manifest: Manifest,
}

impl Kubernetes {
    /// The provider.
    ///
    /// # Errors
    ///
    /// The manifest is refused; the tests of this crate parse it.
    pub fn new() -> Result<Self, ManifestError> {
        Manifest::parse("kubernetes.toml", include_str!("../manifest.toml")).map(|manifest| Self { manifest })
    }

    fn problem(&self, problem: &Problem) -> Option<FieldProblem> {
        let (field, detail) = match problem {
            Problem::Kubeconfig(detail) => (KUBECONFIG, detail),
            Problem::Context(detail) => (CONTEXT, detail),
        };
        let field = self.manifest.field(field)?;
        Some(FieldProblem { field: field.name.clone(), detail: (*detail).to_owned() })
    }
}

#[async_trait]
impl Provider for Kubernetes {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let mut problems = self.manifest.check_form(connection);
        let wrong = access(connection).and_then(Result::err).and_then(|problem| self.problem(&problem));
        problems.extend(wrong.filter(|wrong| problems.iter().all(|problem| problem.field != wrong.field)));
        problems
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        let access = match access(connection) {
            Some(Ok(access)) => access,
            Some(Err(Problem::Kubeconfig(detail))) => {
                return Outcome::unverifiable(format!("Nothing was sent: the kubeconfig {detail}."));
            }
            Some(Err(Problem::Context(detail))) => {
                return Outcome::unverifiable(format!("Nothing was sent: the chosen context {detail}."));
            }
            None => return Outcome::unverifiable("Nothing was sent: a kubeconfig is needed."),
        };
        let namespace = connection.text("namespace").unwrap_or_else(|| "default".to_owned());
        match review(&access, &namespace, context).await {
            Ok(who) => {
                let account = who.user.as_deref().and_then(|user| connection.account(user));
                let advice = who.advice.map(Into::into);
                Outcome { status: Some(who.status), advice, ..Outcome::verified(account) }
            }
            Err(outcome) => *outcome,
        }
    }
}

/// `None` without a kubeconfig.
fn access(connection: &Connection<'_>) -> Option<Result<Access, Problem>> {
    let text = connection.secret(KUBECONFIG).filter(|text| !text.is_empty())?;
    let chosen = connection.text(CONTEXT);
    let kubeconfig = Kubeconfig::parse(text).map_err(Problem::Kubeconfig);
    Some(kubeconfig.and_then(|kubeconfig| kubeconfig.access(chosen.as_deref())))
}
