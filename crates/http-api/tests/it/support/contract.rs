//! What holds for every answer, checked on every answer of every test.

use std::sync::LazyLock;

use actix_web::dev::ResourceDef;
use actix_web::http::Method;
use nora_http_api::openapi_json;
use serde_json::{Value, json};

use super::Answer;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&openapi_json()).unwrap());

pub(super) fn check(method: &Method, path: &str, answer: &Answer) {
    let request_id = answer.header("x-request-id").unwrap_or_else(|| panic!("no X-Request-Id: {answer:?}"));
    assert_eq!(request_id.parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert!(answer.header("cache-control").is_some());
    if answer.status >= 400 {
        check_problem(answer, request_id);
    }
    if method != Method::HEAD {
        check_documented(method, path, answer);
    }
}

fn check_problem(answer: &Answer, request_id: &str) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    if answer.body.is_empty() {
        return;
    }
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {answer:?}")).to_owned();
    assert_eq!(text("type"), format!("urn:nora:problem:{}", text("code")));
    assert_eq!(body["status"], answer.status);
    assert_eq!(text("detail"), text("error"));
    assert_eq!(text("request_id"), request_id);
    assert!(!text("title").is_empty() && !text("detail").is_empty());
}

/// Refusals of a request as such, which the document mentions once for all routes.
const EVERYWHERE: [u16; 3] = [405, 414, 431];

/// An answer of a documented operation has a documented status, and a body as its schema says.
fn check_documented(method: &Method, path: &str, answer: &Answer) {
    if EVERYWHERE.contains(&answer.status) {
        return;
    }
    let Some(operation) = operation(method, path) else { return };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{method} {path}: the status is not documented: {answer:?}");
    let media_type = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
    let schema = &response["content"][media_type]["schema"];
    if !answer.body.is_empty() && media_type.ends_with("json") {
        assert!(schema.is_object(), "{method} {path}: the body is not documented: {answer:?}");
        check_schema(schema, &answer.json());
    }
}

pub(super) fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let (_, item) = paths.iter().find(|(pattern, item)| {
        ResourceDef::new(pattern.as_str()).is_match(path) && item.get(method.as_str().to_lowercase()).is_some()
    })?;
    item.get(method.as_str().to_lowercase())
}

fn check_schema(schema: &Value, instance: &Value) {
    let whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "allOf": [schema],
        "components": DOCUMENT["components"],
    });
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&whole).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(instance).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new(), "{instance:#}");
}
