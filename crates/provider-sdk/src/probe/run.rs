//! Running a test.

use super::account::account;
use super::answer::Answer;
use super::judge::judge;
use super::request::RequestTemplate;
use super::{HttpTest, Probe, Remark, Step, Test, TestKind};
use crate::template::{RenderError, RenderErrorKind};
use crate::values::Values;
use crate::{Context, NetworkError, Outcome, Secret, Unreachable};

const TOO_LARGE: &str = "The service's answer is larger than a test reads.";
const NO_TEST: &str = "This connection cannot be tested with what was entered.";
const NOTHING_SAVED: &str = "The service answered, but not with what the next request needs.";

type Tried<T> = Result<T, Box<Outcome>>;

/// Runs the first test whose condition holds.
pub(crate) async fn run(tests: &[Test], values: Values<'_>, context: &dyn Context) -> Outcome {
    let connection = values.connection();
    match tests.iter().find(|test| test.when.holds(&connection)).map(|test| &test.kind) {
        Some(TestKind::Http(http)) => http.test(values, context).await.unwrap_or_else(|outcome| *outcome),
        Some(TestKind::Shape(shape)) => shape.test(&values, context).await,
        Some(TestKind::Code(_)) | None => Outcome::unverifiable(NO_TEST),
    }
}

impl HttpTest {
    async fn test(&self, mut values: Values<'_>, context: &dyn Context) -> Tried<Outcome> {
        let connection = values.connection();
        for step in self.before.iter().filter(|step| step.when.holds(&connection)) {
            step.take(&mut values, context).await?;
        }
        let outcome = self.probe.ask(&values, context).await?;
        let alternative = self.alternatives.iter().find(|alternative| {
            outcome.status.is_some_and(|status| alternative.after.contains(&status))
                && alternative.when.holds(&connection)
        });
        match alternative {
            Some(alternative) => alternative.probe.ask(&values, context).await,
            None => Ok(outcome),
        }
    }

    /// What is wrong with values that were entered, found without sending anything.
    pub(super) fn problems(&self, values: &Values<'_>) -> Vec<RenderError> {
        let requests = self.before.iter().map(|step| &step.request).chain(std::iter::once(&self.probe.request));
        let errors = requests.filter_map(|request| request.render(values).err());
        errors.filter(|error| error.kind != RenderErrorKind::Missing).collect()
    }
}

impl Step {
    async fn take(&self, values: &mut Values<'_>, context: &dyn Context) -> Tried<()> {
        let answer = send(&self.request, values, context).await?;
        judge(&answer, &self.success, &self.failures, values, context.clock().now())?;
        for (name, pointer) in &self.save {
            let found = answer.scalar_at(pointer).filter(|text| !text.is_empty());
            let Some(text) = found else {
                let mut outcome = Outcome::unreachable(Unreachable::UpstreamError).advise(NOTHING_SAVED);
                outcome.status = Some(answer.status());
                return Err(Box::new(outcome));
            };
            values.save(name, Secret::new(text));
        }
        Ok(())
    }
}

impl Probe {
    /// Asks, and says what the answer means. `Err` is an end no alternative can change.
    async fn ask(&self, values: &Values<'_>, context: &dyn Context) -> Tried<Outcome> {
        let answer = send(&self.request, values, context).await?;
        if let Err(outcome) = judge(&answer, &self.success, &self.failures, values, context.clock().now()) {
            return Ok(*outcome);
        }
        let mut outcome = Outcome::verified(account(&self.account, &answer, values));
        outcome.status = Some(answer.status());
        let remark = self.remarks.iter().find(|remark| remark.fits(&answer, values));
        outcome.advice = remark.map(|remark| remark.advice.clone().into());
        Ok(outcome)
    }
}

impl Remark {
    fn fits(&self, answer: &Answer, values: &Values<'_>) -> bool {
        self.json.iter().all(|check| check.holds(answer, values))
            && self.headers.iter().all(|check| check.holds(answer))
    }
}

async fn send(request: &RequestTemplate, values: &Values<'_>, context: &dyn Context) -> Tried<Answer> {
    let request = request.render(values).map_err(|error| Box::new(unsent(&error)))?;
    match context.http().send(request).await {
        Ok(response) => Ok(Answer::new(response)),
        Err(NetworkError::TooLarge) => {
            Err(Box::new(Outcome::unreachable(Unreachable::UpstreamError).advise(TOO_LARGE)))
        }
        Err(error) => Err(Box::new(Outcome::unreachable(error.into()))),
    }
}

/// A connection that makes no request has not been refused by anybody.
fn unsent(error: &RenderError) -> Outcome {
    let name = &error.name;
    Outcome::unverifiable(match error.kind {
        RenderErrorKind::Missing => format!("Nothing was sent: `{name}` is not filled in."),
        RenderErrorKind::Unfit(detail) => format!("Nothing was sent: `{name}` {detail}."),
    })
}
