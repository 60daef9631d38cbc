//! Providers of the suite's own, as manifest files: what the scenarios say does not change when a vendor does.

use std::path::Path;

/// A provider with a token, another secret, a destination and public fields. Its test asks a server of the scenario.
pub const ACME: &str = r#"
id = "acme"
name = "Acme"
category = "testing"
description = "Keeps the tasks of this suite."
docs_url = "https://acme.example/docs"
auth_type = "token"
capabilities = ["read"]

[[fields]]
name = "api_token"
title = "API token"
secret = true
env = "ACME_API_TOKEN"

[[fields]]
name = "base_url"
title = "Base URL"
type = "base_url"
default = "https://api.acme.example"
env = "ACME_URL"

[[fields]]
name = "signing_key"
title = "Signing key"
secret = true
env = "ACME_SIGNING_KEY"

[[fields]]
name = "project"
title = "Project"
max_length = 40
env = "ACME_PROJECT"

[[fields]]
name = "level"
title = "Level"
type = "integer"
min = 1
max = 9

[test]
url = "{base_url}/me"
headers = { Authorization = "Bearer {api_token}" }
success = { json = [{ pointer = "/id", type = "string" }] }
account = ["/name"]

[mcp]
package = "@acme.example/mcp"
version = "1.2.3"
docs_url = "https://acme.example/mcp"

[mcp.env]
ACME_MCP_TOKEN = "{api_token}"
ACME_MCP_PROJECT = "{project}"
"#;

/// A provider that sets a variable of [`ACME`]'s.
pub const RIVAL: &str = r#"
id = "rival"
name = "Rival"
category = "testing"
description = "Wants what Acme has."
docs_url = "https://rival.example/docs"
auth_type = "token"

[[fields]]
name = "key"
title = "Key"
secret = true
env = "ACME_API_TOKEN"

[test]
url = "https://api.rival.example/me"
headers = { Authorization = "Bearer {key}" }
success = { json = [{ pointer = "/id", type = "string" }] }
"#;

pub(crate) fn write(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    std::fs::write(folder.join("acme.toml"), ACME).unwrap();
    std::fs::write(folder.join("rival.toml"), RIVAL).unwrap();
}
