//! MCP servers.

use nora_provider_sdk::Manifest;
use nora_provider_sdk::manifest::{McpUnfed, McpValue, ResolvedMcp};
use serde_json::json;

use crate::support::{Entered, HEAD, TEST, TOKEN, manifest, refusal};

const FIELDS: &str = r#"
[[fields]]
name = "site"
title = "Site"
type = "base_url"
default = "https://acme.example"

[[fields]]
name = "user"
title = "User"

[[fields]]
name = "extra"
title = "Extra"
secret = true

[vars.pair]
base64 = "{user}:{api_token}"
"#;

fn with(block: &str) -> String {
    format!("{HEAD}{TOKEN}{FIELDS}{TEST}[mcp]\ndocs_url = \"https://acme.example/mcp\"\n{block}")
}

fn resolved(manifest: &Manifest, entered: &Entered) -> Result<ResolvedMcp, McpUnfed> {
    manifest.resolve_mcp(&entered.connection(manifest)).unwrap()
}

fn shown(values: &[McpValue]) -> Vec<(&str, &str, Option<&str>)> {
    let one = |value: &McpValue| value.secret.as_ref().map(|field| field.as_str().to_owned()).map(|name| &*name.leak());
    values.iter().map(|value| (value.name.as_str(), value.value.expose(), one(value))).collect()
}

#[test]
fn a_package_is_pinned_and_fed() {
    let manifest = manifest(&with(
        r#"
package = "@acme/mcp"
version = "1.2.3"
args = ["--site={site}", "--user={user}"]
notes = "Acme's own."
env = { ACME_KEY = "{api_token}", ACME_URL = "{site}/api", ACME_USER = "{user}", ACME_LEGACY = { value = "{api_token}", when = { prefix = { api_token = "old-" } } } }
"#,
    ));
    let entered = Entered::new(&[("api_token", "t")], &json!({}));
    let ResolvedMcp::Stdio { command, args, env } = resolved(&manifest, &entered).unwrap() else { panic!("a process") };
    assert_eq!(
        (command.as_str(), args.as_slice()),
        ("npx", ["-y", "@acme/mcp@1.2.3", "--site=https://acme.example"].map(str::to_owned).as_slice())
    );
    assert_eq!(shown(&env), [("ACME_KEY", "t", Some("api_token")), ("ACME_URL", "https://acme.example/api", None)]);
    let mcp = manifest.mcp().unwrap();
    assert_eq!(mcp.npm_package(), "@acme/mcp");
    let description = manifest.mcp_description().unwrap();
    assert_eq!(description["env"]["ACME_KEY"], "{api_token}");
    assert_eq!(description["npmPackage"], "@acme/mcp");

    let old = Entered::new(&[("api_token", "old-t")], &json!({ "user": "ada" }));
    let ResolvedMcp::Stdio { args, env, .. } = resolved(&manifest, &old).unwrap() else { panic!("a process") };
    assert_eq!(args.last().map(String::as_str), Some("--user=ada"));
    assert_eq!(
        env.iter().map(|value| value.name.as_str()).collect::<Vec<_>>(),
        ["ACME_KEY", "ACME_LEGACY", "ACME_URL", "ACME_USER"]
    );
}

#[test]
fn other_registries_start_in_their_own_way() {
    for (block, command, args) in [
        ("package = \"acme-mcp\"\nversion = \"0.5.1\"\nregistry = \"pypi\"", "uvx", vec!["acme-mcp@0.5.1"]),
        (
            "package = \"acme\"\nversion = \"0.5.1\"\nregistry = \"pypi\"\nexecutable = \"acme-mcp\"",
            "uvx",
            vec!["--from", "acme==0.5.1", "acme-mcp"],
        ),
        (
            "package = \"ghcr.io/acme/mcp\"\nversion = \"v1.0\"\nregistry = \"container\"\nenv = { ACME_KEY = \"{api_token}\" }\nargs = [\"stdio\"]",
            "docker",
            vec!["run", "-i", "--rm", "-e", "ACME_KEY", "ghcr.io/acme/mcp:v1.0", "stdio"],
        ),
    ] {
        let manifest = manifest(&with(block));
        let entered = Entered::new(&[("api_token", "t")], &json!({}));
        let ResolvedMcp::Stdio { command: started, args: given, .. } = resolved(&manifest, &entered).unwrap() else {
            panic!("a process")
        };
        assert_eq!((started.as_str(), given), (command, args.into_iter().map(str::to_owned).collect()));
        assert_eq!(manifest.mcp().unwrap().npm_package(), "");
    }
}

#[test]
fn a_remote_server_takes_headers() {
    let manifest = manifest(&with(
        "url = \"{site}/mcp\"\nheaders = { Authorization = \"Basic {pair}\" }\nrequires = [\"extra\"]\n",
    ));
    let without = Entered::new(&[("api_token", "t")], &json!({ "user": "ada" }));
    assert_eq!(resolved(&manifest, &without).unwrap_err(), McpUnfed { field: "extra".to_owned() });
    let entered = Entered::new(&[("api_token", "t"), ("extra", "x")], &json!({ "user": "ada" }));
    let ResolvedMcp::Remote { url, headers } = resolved(&manifest, &entered).unwrap() else {
        panic!("a remote server")
    };
    assert_eq!((url.value.expose(), url.secret), ("https://acme.example/mcp", None));
    assert_eq!(shown(&headers), [("Authorization", "Basic YWRhOnQ=", Some("api_token"))]);
}

#[test]
fn mistakes_are_explained() {
    for (block, because) in [
        ("package = \"a\"", "its `version`"),
        ("package = \"a\"\nversion = \"latest\"", "no exact version"),
        ("package = \"a\"\nversion = \"^1.0\"", "no exact version"),
        ("package = \"-a\"\nversion = \"1.0\"", "no name of a package"),
        ("package = \"a\"\nversion = \"1.0\"\nurl = \"https://a.example\"", "a `package` with its `version`"),
        ("package = \"a\"\nversion = \"1.0\"\nargs = [\"{api_token}\"]", "show up in process lists"),
        ("package = \"a\"\nversion = \"1.0\"\nargs = [\"{pair}\"]", "show up in process lists"),
        ("package = \"a\"\nversion = \"1.0\"\nenv = { NODE_OPTIONS = \"x\" }", "not steer a loader"),
        ("package = \"a\"\nversion = \"1.0\"\nenv = { A = \"{nothing}\" }", "is no field"),
        ("package = \"a\"\nversion = \"1.0\"\nexecutable = \"b\"", "only a package of the Python index"),
        ("url = \"https://{user}.acme.example\"", "may not stand in a host"),
        ("url = \"https://acme.example\"\nrequires = [\"nothing\"]", "there is no such field"),
    ] {
        let reason = refusal(&with(block));
        assert!(reason.contains(because), "{block}: {reason}");
    }
}
