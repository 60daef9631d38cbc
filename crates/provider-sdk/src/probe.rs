//! Connection tests as data.

mod account;
mod answer;
mod check;
mod header_hosts;
mod judge;
mod load;
mod load_request;
mod request;
pub(crate) mod retry_after;
mod run;
mod shape;

use crate::http::Method;
use crate::template::RenderError;
use crate::values::Values;
use crate::when::When;

use account::AccountTemplate;
use check::{HeaderCheck, JsonCheck};
use judge::{Failure, Success};
use request::RequestTemplate;
use shape::Shape;

pub(crate) use check::{is_header_name, parse_header_name, parse_pointer};
pub(crate) use load::load;
pub(crate) use load_request::load_header;
pub(crate) use run::run;

/// One way to test a connection.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) when: When,
    pub(crate) kind: TestKind,
}

#[derive(Debug)]
pub(crate) enum TestKind {
    /// Requests, the last of which proves the credential.
    Http(Box<HttpTest>),
    /// A URL that must not be called.
    Shape(Shape),
    /// The provider crate's own, and what it says about its requests.
    Code(RequestSummary),
}

#[derive(Debug)]
pub(crate) struct HttpTest {
    before: Vec<Step>,
    probe: Probe,
    alternatives: Vec<Alternative>,
}

/// A request whose answer later ones need.
#[derive(Debug)]
struct Step {
    when: When,
    request: RequestTemplate,
    success: Success,
    failures: Vec<Failure>,
    /// Names, and the JSON Pointers to their values.
    save: Vec<(String, String)>,
}

/// The request that proves the credential.
#[derive(Debug)]
struct Probe {
    request: RequestTemplate,
    success: Success,
    failures: Vec<Failure>,
    account: Vec<AccountTemplate>,
    remarks: Vec<Remark>,
    status_is_proof_because: Option<String>,
}

impl Probe {
    fn summary(&self) -> RequestSummary {
        RequestSummary { status_is_proof_because: self.status_is_proof_because.clone(), ..self.request.summary() }
    }
}

/// Another request, for when an answer does not decide.
#[derive(Debug)]
struct Alternative {
    when: When,
    after: Vec<u16>,
    probe: Probe,
}

/// Something worth saying about a credential that works.
#[derive(Debug)]
struct Remark {
    json: Vec<JsonCheck>,
    headers: Vec<HeaderCheck>,
    advice: String,
}

/// One request a test may send, as its manifest writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSummary {
    /// Its method.
    pub method: Method,
    /// The template of its URL; empty where the provider crate sends it.
    pub url: String,
    /// Why it changes nothing, where the method does not say so.
    pub read_only_because: Option<String>,
    /// Why its status alone proves the credential, where nothing in the answer does.
    pub status_is_proof_because: Option<String>,
}

impl Test {
    /// Every request the test may send.
    pub(crate) fn requests(&self) -> Vec<RequestSummary> {
        let TestKind::Http(http) = &self.kind else {
            return match &self.kind {
                TestKind::Code(summary) => vec![summary.clone()],
                TestKind::Http(_) | TestKind::Shape(_) => Vec::new(),
            };
        };
        let before = http.before.iter().map(|step| step.request.summary());
        let probes = std::iter::once(&http.probe).chain(http.alternatives.iter().map(|other| &other.probe));
        before.chain(probes.map(Probe::summary)).collect()
    }

    /// What is wrong with values that were entered, found without sending anything.
    pub(crate) fn problems(&self, values: &Values<'_>) -> Vec<RenderError> {
        match &self.kind {
            TestKind::Http(http) => http.problems(values),
            TestKind::Shape(_) | TestKind::Code(_) => Vec::new(),
        }
    }

    /// The names that decide where requests go.
    pub(crate) fn host_names(&self) -> Vec<&str> {
        self.templates().flat_map(RequestTemplate::host_names).collect()
    }

    fn templates(&self) -> impl Iterator<Item = &RequestTemplate> {
        let http = match &self.kind {
            TestKind::Http(http) => Some(http),
            TestKind::Shape(_) | TestKind::Code(_) => None,
        };
        http.into_iter().flat_map(|http| {
            let before = http.before.iter().map(|step| &step.request);
            let alternatives = http.alternatives.iter().map(|alternative| &alternative.probe.request);
            before.chain(std::iter::once(&http.probe.request)).chain(alternatives)
        })
    }
}
