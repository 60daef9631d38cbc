//! Every schema the server hands out, and every example it prints, before a validator that is not ours.

use std::path::Path;

use e2e::{Claim, Installation, Store, objections};
use serde_json::{Map, Value, json};

#[tokio::test]
async fn a_stock_validator_takes_every_schema_and_every_example() {
    let installation = Installation::new(Store::Sqlite).await;
    let _server = installation.start().await;
    let api = installation.api();
    let catalog = api.get("/api/integrations/catalog").await.json(200);
    let channel_types = api.get("/api/channel-types").await.json(200);
    let openapi = api.get("/api/openapi.json").await.json(200);
    let (catalog, channel_types) = (catalog.as_array().unwrap(), channel_types.as_array().unwrap());
    assert!(catalog.len() >= 91 && channel_types.len() > 40);

    let mut claims: Vec<Claim> = catalog.iter().flat_map(|item| examples_of("id", item)).collect();
    claims.extend(channel_types.iter().flat_map(|kind| examples_of("type", kind)));
    let described = described(&openapi);
    assert!(described.len() > 8, "examples of bodies: {}", described.len());
    let printed = printed();
    assert!(printed.len() > 1, "bodies in the documents: {}", printed.len());
    for (name, body) in described.iter().chain(&printed) {
        claims.extend(of_config(name, body, catalog, channel_types));
    }
    claims.extend(described.into_iter().map(|(name, example)| of_body(&openapi, name, example)));
    assert_eq!(objections(&claims), "");
}

/// A validator that accepts whatever it is given would prove nothing.
#[test]
fn the_validator_says_no() {
    let claim =
        |name: &str, schema: Value, instance: Value| Claim { name: name.to_owned(), schema, instances: vec![instance] };
    let said = objections(&[
        claim("wrong schema", json!({ "type": "text" }), json!("x")),
        claim("wrong instance", json!({ "type": "string" }), json!(1)),
        claim("right", json!({ "type": "string" }), json!("x")),
    ]);
    let said: Vec<&str> = said.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(said, ["wrong schema", "wrong instance"]);
}

/// A schema and, for each of its properties, the examples and the default it gives.
fn examples_of(key: &str, item: &Value) -> Vec<Claim> {
    let (name, schema) = (item[key].as_str().unwrap(), &item["config_schema"]);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let of_property = |(property, described): (&String, &Value)| {
        let examples = described["examples"].as_array().into_iter().flatten().chain(described.get("default"));
        let instances = examples.cloned().collect();
        Claim { name: format!("{name}, {property}"), schema: described.clone(), instances }
    };
    let whole = Claim { name: name.to_owned(), schema: schema.clone(), instances: Vec::new() };
    properties.map(of_property).chain([whole]).collect()
}

/// The examples of request bodies in the document, by the schemas' names.
fn described(openapi: &Value) -> Vec<(String, Value)> {
    let schemas = openapi["components"]["schemas"].as_object().unwrap();
    let with_example = schemas.iter().filter(|(_, schema)| schema.get("example").is_some_and(Value::is_object));
    with_example.map(|(name, schema)| (name.clone(), schema["example"].clone())).collect()
}

/// An example by the schema it stands beside. The document holds the others it refers to.
fn of_body(openapi: &Value, name: String, instance: Value) -> Claim {
    let mut schema = Map::new();
    schema.insert("$ref".to_owned(), json!(format!("#/components/schemas/{name}")));
    schema.insert("components".to_owned(), openapi["components"].clone());
    Claim { name, schema: Value::Object(schema), instances: vec![instance] }
}

/// A body's `config` by the schema of the provider or type of channel it names.
fn of_config(name: &str, body: &Value, catalog: &[Value], channel_types: &[Value]) -> Option<Claim> {
    let find = |list: &[Value], key: &str, wanted: &Value| list.iter().find(|item| item[key] == *wanted).cloned();
    let item = match (body.get("provider"), body.get("type")) {
        (Some(provider), _) => find(catalog, "id", provider),
        (None, Some(kind)) => find(channel_types, "type", kind),
        (None, None) => return None,
    };
    let item = item.unwrap_or_else(|| panic!("{name} names what is not there: {body}"));
    let instance = body.get("config").cloned().unwrap_or_else(|| json!({}));
    Some(Claim { name: name.to_owned(), schema: item["config_schema"].clone(), instances: vec![instance] })
}

/// The JSON bodies of the command lines in the documents: what is between `-d '` and `'`.
fn printed() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documents = ["README.md", "docs/adding-a-provider.md", "docs/operations.md", "docs/security.md"];
    let mut bodies = Vec::new();
    for document in documents {
        let text = std::fs::read_to_string(root.join(document)).unwrap();
        let quoted = text.split("-d '").skip(1).filter_map(|rest| rest.split('\'').next());
        let json = quoted.filter_map(|body| serde_json::from_str(body).ok());
        bodies.extend(json.map(|body| (document.to_owned(), body)));
    }
    bodies
}
