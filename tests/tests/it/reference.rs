//! The reference page, as a browser shows it.

use e2e::{Installation, Store, browse};
use serde_json::Value;

/// All that the renderer has to say.
const ITS_NAME: &str = "@scalar/api-reference@";

#[tokio::test]
async fn a_browser_renders_the_operations_and_calls_nobody_else() {
    let installation = Installation::new(Store::Sqlite).await;
    let _server = installation.start().await;
    let origin = installation.url();
    let document = installation.api().get("/api/openapi.json").await.json(200);
    // The renderer shows the parts of a document that one looks at, and the names of the others.
    let looked_at = "Agent integrations";
    let page = browse(&origin, &format!("{origin}/docs#tag/agent-integrations")).await;
    for tag in document["tags"].as_array().unwrap() {
        let name = tag["name"].as_str().unwrap();
        assert!(page.document.contains(name), "{name} is not on the page");
    }
    let summaries = summaries(&document, looked_at);
    assert!(summaries.len() > 5 && summaries.contains(&"Connect an integration"), "{summaries:?}");
    for summary in summaries {
        assert!(page.document.contains(summary), "{summary} is not on the page");
    }
    let complaints = page.console.iter().filter(|line| !line.contains(ITS_NAME)).collect::<Vec<_>>();
    assert_eq!(complaints, [""; 0], "the page's policy and its scripts agree");
    let ours = ["/docs/scalar.js", "/api/openapi.json"].map(|path| format!("{origin}{path}"));
    assert_eq!(page.requests, ours, "the page loads its script and the document, and nothing else");
}

fn summaries<'a>(document: &'a Value, tag: &str) -> Vec<&'a str> {
    let paths = document["paths"].as_object().unwrap().values().filter_map(Value::as_object);
    let operations = paths.flat_map(|path| path.values());
    let tagged =
        operations.filter(|operation| operation["tags"].as_array().is_some_and(|tags| tags.contains(&tag.into())));
    tagged.filter_map(|operation| operation["summary"].as_str()).collect()
}
