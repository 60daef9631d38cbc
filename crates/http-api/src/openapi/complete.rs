//! What is true of every operation, added where the handlers need not repeat it.

use utoipa::ToSchema;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{
    ContentBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder, Schema, SecurityRequirement,
};

use super::BEARER;
use crate::problem::PROBLEM_JSON;

/// A problem an operation may answer with.
type Answer = (&'static str, &'static str);

const BAD_REQUEST: Answer = ("400", "The request is not acceptable; `code` says why.");
const UNAUTHENTICATED: Answer = ("401", "`unauthenticated`: a valid bearer token is needed.");
const FORBIDDEN: Answer = ("403", "`scope_missing` or `workspace_forbidden`.");
const NOT_FOUND: Answer = ("404", "What the path names does not exist, or not for this caller.");
const BODY_TIMEOUT: Answer = ("408", "`body_timeout`: the body took too long to arrive.");
const BODY_TOO_LARGE: Answer = ("413", "`body_too_large`.");
const UNSUPPORTED: Answer = ("415", "`content_type_unsupported` or `content_encoding_unsupported`.");
const INTERNAL: Answer = ("500", "`internal`: the service failed.");
const UNAVAILABLE: Answer = ("503", "`unavailable`: try again after `Retry-After` seconds.");

/// Adds scopes and problems to every operation.
pub(super) fn complete(document: &mut OpenApi) {
    document.paths.paths.values_mut().flat_map(operations_mut).for_each(complete_operation);
}

/// The operations of a path with their methods.
pub(super) fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    all.into_iter().filter_map(Option::as_mut)
}

fn complete_operation(operation: &mut Operation) {
    operation.parameters.iter_mut().flatten().for_each(forbid_null);
    let scopes = operation.security.as_deref().map(scopes);
    let mut answers = Vec::new();
    if let Some(scopes) = &scopes {
        say_scopes(operation, scopes);
        answers.extend([UNAUTHENTICATED, INTERNAL, UNAVAILABLE]);
        answers.extend((!scopes.is_empty()).then_some(FORBIDDEN));
    }
    if operation.request_body.is_some() {
        answers.extend([BAD_REQUEST, BODY_TIMEOUT, BODY_TOO_LARGE, UNSUPPORTED]);
    }
    answers.extend(takes(operation, &ParameterIn::Query).then_some(BAD_REQUEST));
    answers.extend(takes(operation, &ParameterIn::Path).then_some(NOT_FOUND));
    for (status, description) in answers {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(description)));
    }
}

/// The scopes of the one requirement an operation has.
fn scopes(security: &[SecurityRequirement]) -> Vec<String> {
    let named = security.iter().filter_map(|requirement| serde_json::to_value(requirement).ok());
    let scopes = named.filter_map(|requirement| serde_json::from_value(requirement.get(BEARER)?.clone()).ok());
    scopes.flat_map(|scopes: Vec<String>| scopes).collect()
}

fn say_scopes(operation: &mut Operation, scopes: &[String]) {
    let names = scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>();
    let needed = match names.as_slice() {
        [] => "Any valid token will do.".to_owned(),
        [one] => format!("Needs the scope {one}."),
        several => format!("Needs the scopes {}.", several.join(" and ")),
    };
    let description = operation.description.get_or_insert_default();
    description.push_str(if description.is_empty() { "" } else { "\n\n" });
    description.push_str(&needed);
    operation.extensions.get_or_insert_default().merge(Extensions::from_iter([("x-scopes", scopes.to_vec())]));
}

/// A parameter that is left out is absent; there is no way to write a null.
fn forbid_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(Parameter { schema: Some(schema), .. }) = parameter else { return };
    let only = match schema {
        RefOr::T(Schema::OneOf(one_of)) => one_of.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned(),
        _ => None,
    };
    if let Some(only) = only {
        *schema = only;
    }
    if let RefOr::T(Schema::Object(object)) = schema
        && let SchemaType::Array(types) = &object.schema_type
        && let Some(present) = types.iter().find(|present| **present != Type::Null)
    {
        object.schema_type = SchemaType::Type(present.clone());
    }
}

fn takes(operation: &Operation, place: &ParameterIn) -> bool {
    operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == *place,
        RefOr::Ref(_) => false,
    })
}

fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build()
}

/// A type's schema and those it refers to.
pub(super) fn schemas_of<T: ToSchema>() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut schemas);
    schemas
}
