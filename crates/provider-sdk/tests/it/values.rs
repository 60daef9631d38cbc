//! What a connection gives to the agent.

use nora_kernel::Label;
use nora_provider_sdk::{Connection, Manifest};
use serde_json::json;

use crate::support::{Entered, HEAD, TEST, TOKEN, manifest};

const FIELDS: &str = r#"
[[fields]]
name = "hostname"
title = "Host"
type = "host"
default = "app.acme.example"
env = "ACME_ADDRESS"
env_value = "https://{hostname}/"

[[fields]]
name = "environment"
title = "Environment"
type = "choice"
options = ["live", "sandbox"]
env = "ACME_ENVIRONMENT"
env_map = { live = "PRODUCTION", sandbox = "SANDBOX" }

[[fields]]
name = "port"
title = "Port"
type = "integer"
env = "ACME_PORT"
"#;

fn acme() -> Manifest {
    manifest(&format!(
        "{HEAD}requires_one_of = [[\"api_token\"], [\"hostname\", \"port\"]]\n{TOKEN}env = \"ACME_TOKEN\"\n{FIELDS}{TEST}"
    ))
}

fn variables(connection: &Connection<'_>, label: &str) -> Vec<(String, String)> {
    let variables = connection.variables(&label.parse::<Label>().unwrap());
    variables.into_iter().map(|(name, value)| (name.to_string(), value.expose().to_owned())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn variables_are_set_in_the_words_their_tools_read() {
    let manifest = acme();
    let config = json!({ "hostname": "tf.acme.example", "environment": "live", "port": 8443 });
    let entered = Entered::new(&[("api_token", "t")], &config);
    let expected = [
        ("ACME_TOKEN", "t"),
        ("ACME_ADDRESS", "https://tf.acme.example/"),
        ("ACME_ENVIRONMENT", "PRODUCTION"),
        ("ACME_PORT", "8443"),
    ];
    assert_eq!(variables(&entered.connection(&manifest), "default"), pairs(&expected));
    let second = variables(&entered.connection(&manifest), "eu-2");
    assert!(second.iter().all(|(name, _)| name.ends_with("__EU_2")), "{second:?}");
}

#[test]
fn defaults_and_empty_texts_set_nothing() {
    let manifest = acme();
    let entered = Entered::new(&[("api_token", "t")], &json!({ "hostname": "" }));
    assert_eq!(variables(&entered.connection(&manifest), "default"), pairs(&[("ACME_TOKEN", "t")]));
    assert_eq!(entered.connection(&manifest).text("hostname").as_deref(), Some("app.acme.example"));
}

#[test]
fn one_of_several_ways_to_authenticate_is_complete() {
    let manifest = acme();
    let unmet =
        |present: &[&str]| manifest.unmet_requirement(|name| present.contains(&name)).map(|problem| problem.detail);
    assert_eq!(unmet(&["api_token"]), None);
    assert_eq!(unmet(&["hostname", "port"]), None);
    let sentence = "needs one of: `api_token`; `hostname` with `port`";
    assert_eq!(unmet(&["port"]).as_deref(), Some(sentence));
}
