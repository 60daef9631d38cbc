//! Providers that are a manifest and nothing else.

use async_trait::async_trait;

use crate::provider::FieldProblem;
use crate::template::RenderErrorKind;
use crate::values::Values;
use crate::{Connection, Context, Manifest, ManifestError, Outcome, Provider, probe};

/// A provider whose manifest says everything.
#[derive(Debug)]
pub struct Declarative(Manifest);

impl Declarative {
    /// A provider from the text of its manifest file.
    ///
    /// # Errors
    ///
    /// The manifest is refused, or it leaves its test to code.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, ManifestError> {
        let manifest = Manifest::parse(file_name, text)?;
        if manifest.tests_in_code() {
            let at = text.find("code = true").unwrap_or(0);
            let reason = "`code = true` is for provider crates; a manifest alone says how it is tested".to_owned();
            return Err(ManifestError::at(file_name, text, at, reason));
        }
        Ok(Self(manifest))
    }
}

#[async_trait]
impl Provider for Declarative {
    fn manifest(&self) -> &Manifest {
        &self.0
    }

    /// Besides the form of each value: whether the requests of the test could be made with them.
    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        let mut problems = self.0.check_form(connection);
        let values = Values::new(*connection, self.0.vars());
        let test = self.0.tests().iter().find(|test| test.when.holds(connection));
        for error in test.into_iter().flat_map(|test| test.problems(&values)) {
            let field = self.0.field(&error.name);
            let known = field.is_some_and(|field| problems.iter().any(|problem| problem.field == field.name));
            if let (Some(field), RenderErrorKind::Unfit(detail), false) = (field, error.kind, known) {
                problems.push(FieldProblem { field: field.name.clone(), detail: detail.to_owned() });
            }
        }
        problems
    }

    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome {
        probe::run(self.0.tests(), Values::new(*connection, self.0.vars()), context).await
    }
}
