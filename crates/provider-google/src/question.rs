//! What is asked with an access token, and what the answer means.

use nora_provider_sdk::{Context, Outcome, Rejection, Request, Response, Secret, Timestamp, Verdict};
use serde_json::Value;
use url::Url;

/// How Google's APIs say that they are switched off in a project.
const SWITCHED_OFF: &[&str] = &["SERVICE_DISABLED", "accessNotConfigured"];

/// How they say that they were asked too often: newer ones with 429, older ones with 403.
const TOO_OFTEN: &[&str] =
    &["RATE_LIMIT_EXCEEDED", "dailyLimitExceeded", "quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded"];

/// One read-only request, and what only a good token gets.
pub(crate) struct Question {
    pub(crate) url: Url,
    /// A JSON Pointer to a text that a good answer has.
    pub(crate) proof: &'static str,
    /// What the text must be, if one is known.
    pub(crate) expected: Option<&'static str>,
    /// A JSON Pointer to what the thing asked for is called.
    pub(crate) title: Option<&'static str>,
    /// The API's name in Google's console.
    pub(crate) api: &'static str,
    /// What to do if the thing is not found, or not to be seen by this account.
    pub(crate) remedy: String,
}

impl Question {
    /// Asks, and returns what the thing is called. `Err` is how the test ends.
    pub(crate) async fn ask(&self, token: &Secret, context: &dyn Context) -> Result<Option<String>, Box<Outcome>> {
        let request = Request::get(self.url.clone()).header("accept", "application/json").bearer(token);
        let response = context.http().send(request).await?;
        match response.json().filter(|answer| response.status == 200 && self.is_proved_by(answer)) {
            Some(answer) => Ok(self.title(&answer).filter(|title| !title.contains(token.expose())).map(str::to_owned)),
            None => Err(self.refusal(&response, context.clock().now()).into()),
        }
    }

    fn is_proved_by(&self, answer: &Value) -> bool {
        let found = answer.pointer(self.proof).and_then(Value::as_str);
        found.is_some_and(|found| !found.is_empty() && self.expected.is_none_or(|expected| expected == found))
    }

    fn title<'a>(&self, answer: &'a Value) -> Option<&'a str> {
        answer.pointer(self.title?)?.as_str().filter(|title| !title.trim().is_empty())
    }

    fn refusal(&self, response: &Response, now: Timestamp) -> Outcome {
        let reasons = if response.status < 400 { Vec::new() } else { reasons(response) };
        let gave = |known: &[&str]| reasons.iter().any(|reason| known.contains(&reason.as_str()));
        let outcome = if gave(TOO_OFTEN) {
            Outcome::rate_limited(response, now)
        } else if gave(SWITCHED_OFF) {
            let advice = format!("Google takes the key, but the {} is switched off in its project.", self.api);
            Outcome::rejected(Rejection::Scope).advise(advice)
        } else {
            let outcome = Outcome::by_status(response, now);
            let outcome = outcome.advise_on(&Verdict::Rejected(Rejection::Scope), self.remedy.clone());
            outcome.advise_on(&Verdict::Rejected(Rejection::NotFound), self.remedy.clone())
        };
        outcome.with_status(response.status)
    }
}

/// The reasons in an error of Google's: `/error/details/*/reason` today, `/error/errors/*/reason` in older APIs.
fn reasons(response: &Response) -> Vec<String> {
    let answer = response.json().unwrap_or_default();
    let lists = ["/error/details", "/error/errors"].into_iter().filter_map(|list| answer.pointer(list)?.as_array());
    lists.flatten().filter_map(|entry| entry.get("reason")?.as_str()).map(str::to_owned).collect()
}
