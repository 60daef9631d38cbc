//! The OpenAPI document.

use std::collections::BTreeSet;

use nora_http_api::openapi_json;
use serde_json::{Map, Value, json};

use crate::support::{Bench, request, with_token};

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation.clone()))
    });
    all.collect()
}

fn schema<'a>(document: &'a Value, reference: &Value) -> &'a Value {
    let name = reference["$ref"].as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
    &document["components"]["schemas"][name]
}

#[test]
fn it_is_openapi_3_1_and_the_same_every_time() {
    assert_eq!(document()["openapi"], "3.1.0");
    assert_eq!(openapi_json(), openapi_json());
    assert_eq!(document()["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn every_operation_explains_itself() {
    let document = document();
    let mut ids = BTreeSet::new();
    let tags: Vec<&Value> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (name, operation) in operations(&document) {
        for text in ["summary", "description", "operationId"] {
            assert!(operation[text].as_str().is_some_and(|text| !text.is_empty()), "{name}: {text}");
        }
        assert!(ids.insert(operation["operationId"].to_string()), "{name}: its id is taken");
        assert!(tags.contains(&&operation["tags"][0]), "{name}: {}", operation["tags"]);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{name}: {parameter}");
        }
        for scope in operation["x-scopes"].as_array().into_iter().flatten() {
            assert!(operation["description"].as_str().unwrap().contains(scope.as_str().unwrap()), "{name}");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            if status.starts_with('4') || status.starts_with('5') {
                let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                assert_eq!(problem, "#/components/schemas/Problem", "{name} {status}");
            }
        }
    }
}

#[test]
fn every_schema_is_described_and_every_reference_leads_somewhere() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        assert!(schema["description"].is_string(), "{name}");
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            let inherited = schema.get("$ref").is_some() || schema.get("oneOf").is_some();
            assert!(schema["description"].is_string() || inherited, "{name}.{property}");
        }
    }
    let text = openapi_json();
    let prefix = "\"#/components/schemas/";
    let referred: BTreeSet<&str> =
        text.match_indices(prefix).map(|(at, _)| text[at + prefix.len()..].split('"').next().unwrap()).collect();
    for name in &referred {
        assert!(schemas.contains_key(*name), "{name}");
    }
    for name in schemas.keys() {
        assert!(referred.contains(name.as_str()), "nobody refers to {name}");
    }
}

#[test]
fn examples_of_bodies_are_what_their_schemas_say() {
    let document = document();
    let bodies: Vec<(String, Value)> =
        operations(&document).into_iter().filter(|(_, operation)| json_body(operation).is_some()).collect();
    assert!(bodies.len() >= 6);
    for (name, operation) in bodies {
        assert_eq!(operation["requestBody"]["required"], true, "{name}");
        let body = schema(&document, json_body(&operation).unwrap());
        let example = body.get("example").or_else(|| body.get("examples").map(|examples| &examples[0]));
        let whole = json!({ "allOf": [body], "components": document["components"] });
        let validator = jsonschema::draft202012::new(&whole).unwrap();
        let example = example.unwrap_or_else(|| panic!("{name} has no example"));
        assert!(validator.is_valid(example), "{name}: {example}");
    }
}

#[test]
fn secrets_are_write_only() {
    let document = document();
    let mut found = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        for (property, schema) in schema["properties"].as_object().into_iter().flatten() {
            if ["token", "device_key", "signing_secret"].contains(&property.as_str()) {
                assert_eq!(schema["writeOnly"], true, "{name}.{property}");
                found += 1;
            }
        }
    }
    assert!(found >= 9, "{found}");
}

/// The schema of an operation's body, unless it is somebody else's to say.
fn json_body(operation: &Value) -> Option<&Value> {
    operation.pointer("/requestBody/content/application~1json/schema")
}

/// A value of another type than the schema's.
fn mistyped(property: &Value) -> Value {
    let kind = property["type"].as_str().or_else(|| property["type"][0].as_str());
    if matches!(kind, Some("string" | "integer")) { json!({ "not": "a text" }) } else { json!(7) }
}

/// Each member the document shows is one the handler reads: a wrong type is noticed under its name.
#[actix_web::test]
async fn every_documented_member_is_read() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let integration = bench.slack(&admin, &agent).await;
    let (channel, _) = crate::webhooks::channel(&bench, &admin, &crate::webhooks::open()).await;
    let document = document();
    for (name, operation) in operations(&document) {
        let Some(body) = json_body(&operation) else { continue };
        let body = schema(&document, body);
        let (method, path) = name.split_once(' ').unwrap();
        let path = path
            .replace("/api/agents/{id}/integrations/{iid}", &integration)
            .replace("/api/agents/{id}/channels/{cid}", &channel)
            .replace("/api/agents/{id}", &agent);
        for (property, schema) in body["properties"].as_object().unwrap() {
            let mut sent = Map::new();
            sent.insert(property.clone(), mistyped(schema));
            let target = request(method, &path).set_json(Value::Object(sent));
            let answer = bench.send(with_token(target, &admin)).await;
            assert_eq!(answer.problem(), (400, "body_invalid".to_owned()), "{name} {property}");
            assert!(answer.pointers().contains(&format!("/{property}")), "{name} {property}: {answer:?}");
        }
        for required in body["required"].as_array().into_iter().flatten() {
            let answer = bench.send(with_token(request(method, &path).set_json(json!({})), &admin)).await;
            let pointer = format!("/{}", required.as_str().unwrap());
            assert!(answer.pointers().contains(&pointer), "{name} {pointer}: {answer:?}");
        }
    }
}

/// The catalog writes its documents itself; what is said about them is compared with what they are.
#[actix_web::test]
async fn catalog_items_have_exactly_the_documented_members() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    let item = bench.get(&token, "/api/integrations/catalog/slack").await.json();
    let document = document();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let documented = |name: &str| keys(&document["components"]["schemas"][name]["properties"]);
    assert_eq!(keys(&item), documented("CatalogItem"));
    assert_eq!(keys(&item["credential_fields"][0]), documented("CredentialField"));
    assert_eq!(keys(&item["env"][0]), documented("CatalogVariable"));
}

#[test]
fn no_parameter_can_be_null() {
    for (name, operation) in operations(&document()) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["schema"].to_string().contains("null"), "{name}: {parameter}");
        }
    }
}
