//! Manifests that are refused, and where they say so.

use nora_provider_sdk::{Declarative, Manifest};

use crate::support::{HEAD, TEST, TOKEN, manifest, refusal};

#[test]
fn an_error_names_the_file_the_line_and_the_column() {
    let text = format!("{HEAD}{TOKEN}{TEST}\n[vars.x]\nfrom = \"nowhere\"\nlabel = true\n");
    let error = Manifest::parse("providers/acme.toml", &text).unwrap_err();
    let line = text.lines().position(|line| line == "from = \"nowhere\"").unwrap() + 1;
    assert_eq!((error.file.as_str(), error.line, error.column), ("providers/acme.toml", line, 8));
    assert_eq!(error.to_string(), format!("providers/acme.toml:{line}:8: there is no field `nowhere`"));
}

#[test]
fn what_toml_itself_refuses_has_a_place_too() {
    let error = Manifest::parse("acme.toml", "id = \"acme\"\nname = \n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 8));
    let error = Manifest::parse("acme.toml", &format!("{HEAD}{TOKEN}{TEST}colour = \"red\"\n")).unwrap_err();
    assert!(error.reason.contains("unknown field `colour`"), "{error}");
    assert!(error.line > 10, "{error}");
}

#[test]
fn unknown_keys_are_refused_in_every_table() {
    for (table, key) in [
        ("[[fields]]\nname = \"a\"\ntitle = \"A\"\n", "secrte = true"),
        ("[vars.x]\nfrom = \"api_token\"\nlabel = true\n", "lower = true"),
        ("[[test.failures]]\nstatus = 400\nreason = \"auth\"\n", "advise = \"X.\""),
        ("[[test.before]]\nurl = \"https://a.example/\"\nsave = { t = \"/t\" }\n", "verb = \"GET\""),
        ("[mcp]\nurl = \"https://a.example/\"\ndocs_url = \"https://a.example\"\n", "transport = \"sse\""),
        ("[webhook]\nverify = { scheme = \"none\" }\n", "signature = \"x\""),
    ] {
        let reason = refusal(&format!("{HEAD}{TOKEN}{TEST}{table}{key}\n"));
        assert!(reason.contains("unknown field"), "{table}: {reason}");
    }
}

/// Each line of `changes` replaces what stands in front of `=>` by what follows it, and is refused for the reason after
/// `because`.
#[test]
fn mistakes_are_explained() {
    let whole = format!("{HEAD}{TOKEN}{TEST}");
    for (from, to, because) in [
        ("id = \"acme\"", "id = \"Acme\"", "a provider id must match"),
        ("docs_url = \"https:", "docs_url = \"http:", "is an https URL"),
        ("category = \"productivity\"", "category = \"Productivity\"", "lower-case letters"),
        ("auth_type = \"token\"", "auth_type = \"bearer\"", "unknown variant `bearer`"),
        ("name = \"api_token\"", "name = \"api-token\"", "a field name must match"),
        ("title = \"API token\"", "title = \"T\"\nsecret = false", "the token is a secret"),
        ("title = \"API token\"", "title = \"T\"\npattern = \"^x$\"", "takes a `hint`"),
        ("title = \"API token\"", "title = \"T\"\nhint = \"(?=x)\"", "no look-around"),
        ("title = \"API token\"", "title = \"T\"\nenv = \"LD_PRELOAD\"", "not steer a loader"),
        ("title = \"API token\"", "title = \"T\"\ntype = \"choice\"\noptions = [\"a\"]", "a secret is text"),
        ("{api_token}", "{token}", "`{token}` is no field, var or saved value; known here: api_token"),
        ("{api_token}", "{api-token}", "is no field"),
        ("{api_token}", "{ api_token }", "a brace here encloses the name of a field"),
        ("Authorization =", "Host =", "not the manifest's to set"),
        ("Authorization =", "\"A b\" =", "is no name of an HTTP header"),
        ("Bearer {", "Bärer {", "printable ASCII"),
        ("pointer = \"/id\"", "pointer = \"id\"", "a JSON Pointer is empty or begins with `/`"),
        ("exists = true", "exists = true, null = false", "exactly one of"),
        ("{ json = { pointer = \"/id\", exists = true } }", "{ status = 200 }", "a status alone proves little"),
        ("success = { json = { pointer = \"/id\", exists = true } }", "", "say in `success` what only a valid"),
        ("url = \"https://api", "method = \"POST\"\nurl = \"https://api", "why it changes nothing"),
        ("url = \"https://api", "method = \"PUT\"\nurl = \"https://api", "unknown variant `PUT`"),
        ("url = \"https://api", "json = { a = 1 }\nurl = \"https://api", "only a POST has a body"),
        ("account = [\"/name\"]", "account = [\"{api_token}\"]", "is a secret or no field"),
        ("account = [\"/name\"]", "account = [\"me\"]", "an account is named by the answer"),
        ("account = [\"/name\"]", "code = true", "a test is exactly one of"),
        ("account = [\"/name\"]", "when = { set = [\"api_token\"] }", "the last has none"),
        ("account = [\"/name\"]", "failures = [{ status = 99, reason = \"auth\" }]", "from 100 to 599"),
        ("account = [\"/name\"]", "failures = [{ reason = \"auth\" }]", "says what it is known by"),
        (
            "account = [\"/name\"]",
            "failures = [{ status = 400, reason = \"auth\", advice = \"try again\" }]",
            "with a capital letter and a full stop",
        ),
        ("[test]", "[[fields]]\nname = \"api_token\"\ntitle = \"T\"\n[test]", "is used twice"),
    ] {
        assert!(whole.contains(from), "{from}");
        let reason = refusal(&whole.replacen(from, to, 1));
        assert!(reason.contains(because), "{from} => {to}: {reason}");
    }
}

#[test]
fn fields_say_what_they_can() {
    for (field, because) in [
        ("type = \"choice\"", "a `choice` has `options`"),
        ("type = \"choice\"\noptions = [\"a\", \"a\"]", "each of them once"),
        ("options = [\"a\"]", "only a `choice` has `options`"),
        ("type = \"choice\"\noptions = [\"a\"]\ndefault = \"b\"", "not one this field takes"),
        ("type = \"integer\"\nmax = 9\ndefault = 10", "not one this field takes"),
        ("type = \"integer\"\ndefault = \"1\"", "not one this field takes"),
        ("type = \"boolean\"\nexamples = [\"yes\"]", "not one this field takes"),
        ("min = 1", "those of an `integer`"),
        ("type = \"integer\"\nmin_length = 1", "those of a text"),
        ("type = \"subdomain\"", "what the subdomain stands in front of"),
        ("type = \"subdomain\"\ndomains = [\"a.example\", \"b.example\"]", "exactly one"),
        ("type = \"host_under\"", "what the host must lie under"),
        ("domains = [\"a.example\"]", "have `domains`"),
        ("type = \"host_under\"\ndomains = [\"com\"]", "a host name in lower case"),
        ("type = \"base_url\"\ndefault = \"acme.example\"", "the value is not a URL"),
        ("pattern = \"^[0-9]+$\"\nexamples = [\"a1\"]", "does not match the field's pattern"),
        ("secret = true\ndefault = \"a\"", "a secret has no default"),
        ("env_value = \"https://{other}\"", "give one of them, and `env`"),
        ("env = \"ACME_HOST\"\nenv_value = \"https://{api_token}\"", "and no other field"),
        ("required_when = { nothing = \"a\" }", "on another public field"),
        ("required = true\nrequired_when = { api_token = \"a\" }", "a field is `required`, or"),
        ("pattern = '\\1'", "different things to different engines"),
    ] {
        let text = format!("{HEAD}{TOKEN}\n[[fields]]\nname = \"other\"\ntitle = \"Other\"\n{field}\n{TEST}");
        let reason = refusal(&text);
        assert!(reason.contains(because), "{field}: {reason}");
    }
}

#[test]
fn a_manifest_without_a_credential_has_no_token() {
    let text = format!(
        "{}\n[[fields]]\nname = \"topic\"\ntitle = \"Topic\"\n[test]\nurl = \"https://a.example/{{topic}}\"\nsuccess = {{ json = {{ pointer = \"\", type = \"object\" }} }}\n",
        HEAD.replace("\"token\"", "\"none\"")
    );
    let manifest = manifest(&text);
    assert!(manifest.token().is_none());
    assert_eq!(manifest.config_fields().count(), 1);
    assert!(refusal(&format!("{HEAD}{TEST}")).contains("the first of `[[fields]]` is the token"));
}

#[test]
fn capabilities_follow_from_what_is_there() {
    let mcp = "[mcp]\nurl = \"https://mcp.acme.example/\"\ndocs_url = \"https://acme.example/mcp\"\n";
    let text = format!("{HEAD}capabilities = [\"write\", \"read\"]\n{TOKEN}{TEST}{mcp}");
    assert_eq!(manifest(&text).capabilities(), ["read", "write", "mcp"]);
    let listed = format!("{HEAD}capabilities = [\"mcp\"]\n{TOKEN}{TEST}");
    assert!(refusal(&listed).contains("follow from their tables"));
}

#[test]
fn a_manifest_alone_cannot_leave_its_test_to_code() {
    let text = format!("{HEAD}{TOKEN}[test]\ncode = true\n");
    assert!(manifest(&text).tests_in_code());
    let error = Declarative::parse("acme.toml", &text).unwrap_err();
    assert!(error.reason.contains("for provider crates"), "{error}");
}

#[test]
fn cases_are_made_of_values_the_fields_take() {
    for (block, because) in [
        ("[[cases]]\nname = \"x\"\nexpect = \"auth\"\n", "need the values of an `[example]`"),
        ("[example]\nvalues = { nothing = \"x\" }\n", "there is no field `nothing`"),
        ("[example]\nvalues = { api_token = \"a\\nb\" }\n", "must not hold control characters"),
        (
            "[example]\nvalues = {}\n[[cases]]\nname = \"x\"\nexpect = \"auth\"\nanswers = [{ json = \"{\" }]\n",
            "the body is not JSON",
        ),
        (
            "[example]\nvalues = {}\n[[cases]]\nname = \"x\"\nexpect = \"auth\"\naccount = \"a\"\n",
            "only a verified connection",
        ),
    ] {
        let reason = refusal(&format!("{HEAD}{TOKEN}{TEST}{block}"));
        assert!(reason.contains(because), "{block}: {reason}");
    }
}
