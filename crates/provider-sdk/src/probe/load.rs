//! From the manifest file to tests.

use toml::Spanned;

use super::account::AccountTemplate;
use super::check::{HeaderCheck, JsonCheck, parse_pointer};
use super::judge::{Failure, Success};
use super::load_request::RequestParts;
use super::retry_after::RetryAfter;
use super::shape::Shape;
use super::{Alternative, HttpTest, Probe, Remark, RequestSummary, Step, Test, TestKind};
use crate::http::Method;
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::{
    self, AlternativeEntry, FailureEntry, MethodName, ShapeEntry, StepEntry, SuccessEntry, TestBlock, Text,
};
use crate::manifest::{compile_pattern, domains};
use crate::template::{HostUse, Names, Origin};
use crate::when::When;

/// Loads the tests of a manifest.
pub(crate) fn load(blocks: &[TestBlock], names: &Names, whole: std::ops::Range<usize>) -> Checked<Vec<Test>> {
    let tests = blocks.iter().map(|block| load_test(block, names, &whole)).collect::<Checked<Vec<_>>>()?;
    match tests.split_last() {
        Some((last, others)) if last.when.is_always() && others.iter().all(|test| !test.when.is_always()) => Ok(tests),
        _ => Err(Problem::new(whole, "every `[[test]]` but the last has a `when`, and the last has none")),
    }
}

fn load_test(block: &TestBlock, names: &Names, whole: &std::ops::Range<usize>) -> Checked<Test> {
    let when = When::parse(block.when.as_ref(), names)?;
    let kind = match (&block.url, &block.shape, block.code) {
        (Some(url), None, false) => TestKind::Http(Box::new(load_http(block, url, names)?)),
        (None, Some(shape), false) => TestKind::Shape(load_shape(shape, names)?),
        (None, None, true) => TestKind::Code(load_code(block)?),
        _ => {
            return Err(Problem::new(
                whole.clone(),
                "a test is exactly one of a request (`url`), a `shape` and `code = true`",
            ));
        }
    };
    Ok(Test { when, kind })
}

/// What a provider crate says about the requests it sends.
fn load_code(block: &TestBlock) -> Checked<RequestSummary> {
    let method = match block.method {
        MethodName::Get => Method::Get,
        MethodName::Head => Method::Head,
        MethodName::Post => Method::Post,
    };
    Ok(RequestSummary {
        method,
        url: String::new(),
        read_only_because: block.read_only_because.as_ref().map(sentence).transpose()?,
        status_is_proof_because: None,
    })
}

fn status_is_proof(success: Option<&Spanned<SuccessEntry>>) -> Option<String> {
    Some(success?.get_ref().status_is_proof_because.as_ref()?.get_ref().clone())
}

fn load_http(block: &TestBlock, url: &Text, names: &Names) -> Checked<HttpTest> {
    let mut names = names.clone();
    let mut before = Vec::with_capacity(block.before.len());
    for step in &block.before {
        before.push(load_step(step, &names)?);
        for name in step.save.keys() {
            let added = names.add(name.get_ref(), Origin::Saved, true);
            added.map_err(|reason| Problem::with(name, reason))?;
        }
    }
    let request = RequestParts {
        url,
        method: block.method,
        read_only_because: block.read_only_because.as_ref(),
        headers: &block.headers,
        basic: block.basic.as_ref(),
        query: &block.query,
        json: block.json.as_ref(),
        form: block.form.as_ref(),
        text: block.text.as_ref(),
    };
    let probe = Probe {
        request: request.load(&names)?,
        success: load_proof(block.success.as_ref(), url, &names)?,
        failures: load_failures(&block.failures, &names)?,
        account: block.account.iter().map(|text| AccountTemplate::parse(text, &names)).collect::<Checked<_>>()?,
        remarks: block.remarks.iter().map(|remark| load_remark(remark, &names)).collect::<Checked<_>>()?,
        status_is_proof_because: status_is_proof(block.success.as_ref()),
    };
    let alternatives = block.alternatives.iter().map(|entry| load_alternative(entry, block, &names));
    let alternatives = alternatives.collect::<Checked<_>>()?;
    Ok(HttpTest { before, probe, alternatives })
}

fn load_step(step: &StepEntry, names: &Names) -> Checked<Step> {
    let request = RequestParts {
        url: &step.url,
        method: step.method,
        read_only_because: step.read_only_because.as_ref(),
        headers: &step.headers,
        basic: step.basic.as_ref(),
        query: &step.query,
        json: step.json.as_ref(),
        form: step.form.as_ref(),
        text: step.text.as_ref(),
    };
    let success = match &step.success {
        None if step.save.is_empty() => {
            return Err(Problem::with(&step.url, "a step saves something, or says what its `success` is"));
        }
        success => load_success(success.as_ref().map(Spanned::get_ref), names)?,
    };
    let save = step.save.iter().map(|(name, pointer)| Ok((name.get_ref().clone(), parse_pointer(pointer)?)));
    Ok(Step {
        when: When::parse(step.when.as_ref(), names)?,
        request: request.load(names)?,
        success,
        failures: load_failures(&step.failures, names)?,
        save: save.collect::<Checked<_>>()?,
    })
}

fn load_alternative(entry: &AlternativeEntry, block: &TestBlock, names: &Names) -> Checked<Alternative> {
    let own_credentials = entry.headers.is_some() || entry.basic.is_some();
    let request = RequestParts {
        url: &entry.url,
        method: entry.method,
        read_only_because: entry.read_only_because.as_ref(),
        headers: entry.headers.as_ref().unwrap_or(&block.headers),
        basic: entry.basic.as_ref().or(block.basic.as_ref().filter(|_| !own_credentials)),
        query: &entry.query,
        json: entry.json.as_ref(),
        form: None,
        text: None,
    };
    let advice = entry.advice.as_ref().map(sentence).transpose()?;
    let remarks = advice.into_iter().map(|advice| Remark { json: Vec::new(), headers: Vec::new(), advice }).collect();
    let probe = Probe {
        request: request.load(names)?,
        success: load_proof(entry.success.as_ref(), &entry.url, names)?,
        failures: load_failures(entry.failures.as_ref().unwrap_or(&block.failures), names)?,
        account: entry.account.iter().map(|text| AccountTemplate::parse(text, names)).collect::<Checked<_>>()?,
        remarks,
        status_is_proof_because: status_is_proof(entry.success.as_ref()),
    };
    let after = entry.after.iter().map(|status| status.0).collect();
    Ok(Alternative { when: When::parse(entry.when.as_ref(), names)?, after, probe })
}

/// What an answer must be to prove a credential.
fn load_proof(success: Option<&Spanned<SuccessEntry>>, url: &Text, names: &Names) -> Checked<Success> {
    let Some(entry) = success else {
        return Err(Problem::with(url, "say in `success` what only a valid credential gets"));
    };
    let loaded = load_success(Some(entry.get_ref()), names)?;
    if let Some(because) = &entry.get_ref().status_is_proof_because {
        sentence(because)?;
    } else if loaded.json.is_empty() {
        let reason =
            "a status alone proves little: add a `json` check, or say in `status_is_proof_because` why it does";
        return Err(Problem::with(entry, reason));
    }
    Ok(loaded)
}

fn load_success(entry: Option<&SuccessEntry>, names: &Names) -> Checked<Success> {
    let Some(entry) = entry else {
        return Ok(Success { status: vec![200], json: Vec::new(), headers: Vec::new() });
    };
    let status: Vec<u16> = entry.status.iter().map(|status| status.0).collect();
    Ok(Success {
        status: if status.is_empty() { vec![200] } else { status },
        json: load_json_checks(&entry.json, names)?,
        headers: entry.headers.iter().map(HeaderCheck::parse).collect::<Checked<_>>()?,
    })
}

fn load_json_checks(entries: &[format::JsonCheck], names: &Names) -> Checked<Vec<JsonCheck>> {
    entries.iter().map(|entry| JsonCheck::parse(entry, names)).collect()
}

fn load_failures(entries: &[FailureEntry], names: &Names) -> Checked<Vec<Failure>> {
    entries.iter().map(|entry| load_failure(entry, names)).collect()
}

fn load_failure(entry: &FailureEntry, names: &Names) -> Checked<Failure> {
    if entry.status.is_empty() && entry.json.is_empty() && entry.headers.is_empty() {
        return Err(Problem::with(&entry.reason, "a failure says what it is known by: `status`, `json` or `headers`"));
    }
    let retry_after = entry.retry_after.as_ref().map(|place| RetryAfter::parse(place, entry.reason.span()));
    Ok(Failure {
        status: entry.status.iter().map(|status| status.0).collect(),
        json: load_json_checks(&entry.json, names)?,
        headers: entry.headers.iter().map(HeaderCheck::parse).collect::<Checked<_>>()?,
        reason: *entry.reason.get_ref(),
        advice: entry.advice.as_ref().map(sentence).transpose()?,
        retry_after: retry_after.transpose()?,
    })
}

fn load_remark(entry: &format::RemarkEntry, names: &Names) -> Checked<Remark> {
    let advice = sentence(&entry.advice)?;
    if entry.json.is_empty() && entry.headers.is_empty() {
        return Err(Problem::with(&entry.advice, "a remark says what it is known by: `json` or `headers`"));
    }
    Ok(Remark {
        json: load_json_checks(&entry.json, names)?,
        headers: entry.headers.iter().map(HeaderCheck::parse).collect::<Checked<_>>()?,
        advice,
    })
}

fn load_shape(entry: &Spanned<ShapeEntry>, names: &Names) -> Checked<Shape> {
    let shape = entry.get_ref();
    names.check(shape.field.get_ref()).map_err(|reason| Problem::with(&shape.field, reason))?;
    if !matches!(names.origin(shape.field.get_ref()), Some(Origin::Field(HostUse::Never))) {
        return Err(Problem::with(&shape.field, "a shape is that of a `url` field"));
    }
    let path = shape.path.as_ref().map(compile_pattern);
    Ok(Shape {
        field: shape.field.get_ref().clone(),
        hosts: shape.hosts.iter().map(domains::host).collect::<Checked<_>>()?,
        domains: shape.domains.iter().map(domains::domain).collect::<Checked<_>>()?,
        path: path.transpose()?,
        reachable: shape.reachable,
        advice: sentence(&shape.advice)?,
    })
}

/// A sentence for people: it begins with a capital letter and ends with a full stop.
pub(crate) fn sentence(text: &Text) -> Checked<String> {
    let sentence = text.get_ref();
    let begins = sentence.starts_with(|first: char| first.is_uppercase() || !first.is_alphabetic());
    let is_plain = !sentence.chars().any(char::is_control) && sentence.len() <= 300;
    if begins && is_plain && sentence.ends_with('.') {
        Ok(sentence.clone())
    } else {
        Err(Problem::with(text, "write a sentence of at most 300 characters, with a capital letter and a full stop"))
    }
}
