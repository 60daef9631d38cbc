//! Where a credential can be made to go.

use nora_kernel::address::NetworkPolicy;
use nora_provider_sdk::manifest::Field;
use nora_provider_sdk::{Provider, Verdict};
use serde_json::json;

use crate::support::{Entered, HEAD, Scripted, TOKEN, manifest, provider, refusal, run};

const FIELDS: &str = r#"
[[fields]]
name = "base"
title = "Base URL"
type = "base_url"

[[fields]]
name = "sales"
title = "Instance"
type = "base_url"
domains = ["salesforce.example"]

[[fields]]
name = "host"
title = "Host"
type = "host"

[[fields]]
name = "team"
title = "Team"
type = "subdomain"
domains = ["zendesk.example"]

[[fields]]
name = "shop"
title = "Shop"
type = "host_under"
domains = ["shops.example"]

[[fields]]
name = "region"
title = "Region"
type = "choice"
options = ["us", "eu"]
default = "us"

[[fields]]
name = "app"
title = "App"

[[fields]]
name = "free"
title = "Free text"

[vars.api]
from = "region"
map = { us = "api.acme.example", eu = "api.eu.acme.example" }

[vars.words]
from = "region"
map = { us = "United States", eu = "European Union" }

[vars.app_label]
from = "app"
label = true

[vars.center]
from = "api_token"
after_last = "-"
"#;

fn with_url(url: &str) -> String {
    format!(
        "{HEAD}{TOKEN}{FIELDS}[test]\nurl = \"{url}\"\nsuccess = {{ json = {{ pointer = \"/a\", exists = true }} }}\n"
    )
}

fn field(name: &str) -> Field {
    manifest(&with_url("https://acme.example/")).field(name).unwrap().clone()
}

fn check(name: &str, value: &str, networks: &str) -> Result<(), &'static str> {
    field(name).check_destination(value, &NetworkPolicy::third_parties(networks.parse().unwrap()))
}

#[test]
fn free_text_never_stands_in_a_host() {
    for refused in [
        "https://{free}.acme.example/",
        "https://{free}/",
        "https://api.{free}/",
        "https://acme.example:{free}/",
        "https://{words}/",
        "{free}/v1",
        "{host}/v1",
        "{team}.zendesk.example/v1",
        "https://{base}/v1",
        "https://x{host}/",
        "https://{host}.acme.example/",
        "https://api.{team}.zendesk.example/",
        "https://{team}.other.example/",
        "https://{team}.zendesk.example.evil.example/",
        "https://{team}/",
        "https://{app_label}/",
        "https://acme.{app_label}/",
        "https://{app_label}{center}/",
        "https://user@acme.example/",
        "https://acme.example@evil.example/",
        "http://acme.example/",
        "//acme.example/",
        "acme.example",
        "{base}v1",
        "{base}.evil.example/",
        "{base}@evil.example/",
        "https://localhost/",
        "https://ACME.example/",
        "https://acme.example/#fragment",
        "https://acme.example/../x",
        "https://acme.example/a b",
        "https://127.0.0.1/",
    ] {
        refusal(&with_url(refused));
    }
}

#[test]
fn typed_fields_and_listed_texts_may() {
    for accepted in [
        "https://acme.example/v1/{free}?q={free}",
        "{base}",
        "{base}/v1/{free}",
        "{base}?a=b",
        "https://{host}/v1",
        "https://{host}:8443/v1",
        "https://{shop}/admin",
        "https://{team}.zendesk.example/api",
        "https://{api}/v1",
        "https://{app_label}.acme.example/",
        "https://{app_label}-dsn.acme.example/",
        "https://{center}.api.acme.example/",
        "https://api.{region}.acme.example/",
    ] {
        manifest(&with_url(accepted));
    }
}

#[test]
fn what_makes_a_host_is_a_destination() {
    let destinations = |url: &str| {
        let manifest = manifest(&with_url(url));
        let fields = manifest.fields().iter().filter(|field| field.destination);
        fields.map(|field| field.name.to_string()).collect::<Vec<_>>()
    };
    let typed = ["base", "sales", "host", "team", "shop"];
    assert_eq!(destinations("https://acme.example/{free}"), typed);
    assert_eq!(destinations("https://{api}/"), [&typed[..], &["region"]].concat());
    assert_eq!(destinations("https://{app_label}.acme.example/"), [&typed[..], &["app"]].concat());
    assert_eq!(destinations("https://{center}.acme.example/"), typed, "a secret is sent again anyway");
}

/// What people typed into such fields to have the credential sent elsewhere.
const HOSTILE_LABELS: &[&str] = &[
    "",
    "evil.test#",
    "evil.test/",
    "evil.test/#",
    "evil.test/?",
    "evil.test\\",
    "evil.test:8443/",
    "acme@evil.test/",
    "..",
    ".",
    "evil.test\n",
    "evil\t.test/",
    "evil%2etest%23",
    "a b",
    "аcme",
    "*",
    "-acme",
    "acme-",
    "ACME",
    "127.0.0.1:5432/",
    "169.254.169.254/latest/#",
    "{free}",
    "http://evil.test/#",
    "a.b",
];

#[test]
fn a_label_is_a_label() {
    for hostile in HOSTILE_LABELS {
        assert!(check("team", hostile, "").is_err(), "{hostile:?}");
    }
    assert!(check("team", &"a".repeat(64), "").is_err());
    for fine in ["acme", "a", "0", "acme-2", &"a".repeat(63)] {
        assert_eq!(check("team", fine, ""), Ok(()), "{fine}");
    }
}

#[test]
fn a_host_under_a_domain_lies_under_it() {
    for hostile in HOSTILE_LABELS {
        assert!(check("shop", hostile, "").is_err(), "{hostile:?}");
        assert!(
            check("shop", &format!("{hostile}.shops.example"), "").is_err() || matches!(*hostile, "a.b" | "ACME"),
            "{hostile:?}"
        );
    }
    for refused in [
        "evil.test",
        "shops.example",
        ".shops.example",
        "evilshops.example",
        "a.shops.example.evil.test",
        "a.shops.example.",
    ] {
        assert!(check("shop", refused, "").is_err(), "{refused}");
    }
    assert_eq!(check("shop", "acme.shops.example", ""), Ok(()));
}

/// Nothing that was entered moves a request away from the host the manifest writes, and what cannot be sent is said.
#[tokio::test]
async fn no_value_moves_a_request() {
    for url in [
        "https://{team}.zendesk.example/x",
        "https://{shop}/x",
        "https://{host}/x",
        "https://{app_label}-dsn.acme.example/x",
        "{base}/x",
    ] {
        let provider = provider(&with_url(url));
        for hostile in HOSTILE_LABELS.iter().filter(|text| !matches!(**text, "a.b" | "ACME")) {
            let config = json!({ "team": hostile, "shop": hostile, "host": hostile, "app": hostile, "base": hostile });
            let entered = Entered::new(&[("api_token", "canary-token")], &config);
            let script = Scripted::new([]);
            let outcome = run(&provider, &entered, &script).await;
            assert_eq!(script.lines(), Vec::<String>::new(), "{url} with {hostile:?}");
            assert_eq!(outcome.verdict, Verdict::Unverifiable, "{url} with {hostile:?}");
        }
    }
}

/// Values that are good hosts, and not those of the provider.
#[tokio::test]
async fn a_host_of_somebody_else_is_not_asked() {
    for (url, field, value) in [
        ("https://{team}.zendesk.example/x", "team", "a.b"),
        ("https://{team}.zendesk.example/x", "team", "evil.example/x?.zendesk.example"),
        ("https://{shop}/x", "shop", "evil.example"),
        ("https://{shop}/x", "shop", "a.shops.example.evil.example"),
        ("{sales}/x", "sales", "https://evil.example"),
        ("{sales}/x", "sales", "https://salesforce.example.evil.example"),
        ("https://api.{region}.acme.example/", "region", "x.evil.example/"),
        ("https://{api}/", "region", "elsewhere"),
        ("https://{app_label}.acme.example/", "app", "evil.example/#"),
    ] {
        let provider = provider(&with_url(url));
        let mut config = json!({});
        config[field] = json!(value);
        let entered = Entered::new(&[("api_token", "canary-token")], &config);
        let script = Scripted::new([]);
        let outcome = run(&provider, &entered, &script).await;
        assert_eq!((script.lines(), outcome.verdict), (Vec::new(), Verdict::Unverifiable), "{url} with {value:?}");
        let problems = provider.check(&entered.connection(provider.manifest()));
        assert_eq!(problems.first().map(|problem| problem.field.as_str()), Some(field), "{url} with {value:?}");
    }
}

#[tokio::test]
async fn a_value_in_a_path_stays_one_segment() {
    let provider = provider(&with_url("https://acme.example/v1/{free}/me?q={free}"));
    for (value, line) in [
        ("a/../../b", "GET https://acme.example/v1/a%2F..%2F..%2Fb/me?q=a%2F..%2F..%2Fb"),
        ("a?b#c", "GET https://acme.example/v1/a%3Fb%23c/me?q=a%3Fb%23c"),
        ("%2e%2e", "GET https://acme.example/v1/%252e%252e/me?q=%252e%252e"),
    ] {
        let entered = Entered::new(&[("api_token", "t")], &json!({ "free": value }));
        let script = Scripted::new([]);
        run(&provider, &entered, &script).await;
        assert_eq!(script.lines(), [line]);
    }
    for dots in [".", ".."] {
        let entered = Entered::new(&[("api_token", "t")], &json!({ "free": dots }));
        let script = Scripted::new([]);
        run(&provider, &entered, &script).await;
        assert_eq!(script.lines(), Vec::<String>::new());
        let problems = provider.check(&entered.connection(provider.manifest()));
        assert_eq!(problems.first().map(|problem| problem.field.as_str()), Some("free"));
    }
}

const REFUSED_URLS: &[&str] = &[
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://017700000001/",
    "https://2130706433/",
    "https://0/",
    "https://0.0.0.0:5432/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://localhost./",
    "https://loc\talhost/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://０.０.０.０/",
    "https://%31%32%37.0.0.1/",
    "https://%6cocalhost/",
    "https:127.0.0.1/",
    "https:///127.0.0.1/",
    "https://127.0.0.1:80\\@example.com/",
    "https://127.0.0.1#@example.com/",
    "https://127.0.0.1?@example.com/",
    "https://1.1.1.1 &@169.254.169.254# @3.3.3.3/",
    "https://[::]/",
    "https://[::1]:5432/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2001:0:4136:e378:8000:63bf:56ff:fefe]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[100::1]/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[5f00::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://2852039166/",
    "https://0xA9.0xFE.0xA9.0xFE/",
    "https://169.254.170.2/v2/credentials/",
    "https://100.100.100.200/",
    "https://100.64.0.1/",
    "https://10.0.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://198.18.0.1/",
    "https://203.0.113.1/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "ftp://127.0.0.1/",
    "unix:///var/run/docker.sock",
    "jar:http://127.0.0.1!/",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://xn--/",
    "https://a..b/",
    "https://[127.0.0.1]/",
    "https:///",
    "//127.0.0.1/",
    "localhost",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://foo.localhost/",
    "https://kubernetes.default.svc/",
    "https://host.docker.internal:2375/",
    "https://printer.local/",
    "https://abc.onion/",
    "https://user@example.com/",
    "https://example.com/?a=b",
    "http://example.com/",
    "http://8.8.8.8/",
    "https://0x08080808/",
];

#[test]
fn a_base_url_leads_to_a_public_host_over_tls() {
    for refused in REFUSED_URLS {
        assert!(check("base", refused, "").is_err(), "{refused}");
    }
    assert!(check("base", &format!("https://{}.com/", "a".repeat(64)), "").is_err());
    for allowed in [
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
        "https://[2606:4700:4700:0:0:0:0:1111]/",
        "https://100.63.255.255/",
        "https://100.128.0.1/",
        "https://172.15.255.255/",
        "https://172.32.0.1/",
        "https://11.0.0.1/",
        "https://10.example.com/",
        "https://localhost.example.com/",
        "https://git.example.com:8443/api/v3/",
        "https://GIT.example.com",
        "https://example.com:80/",
    ] {
        assert_eq!(check("base", allowed, ""), Ok(()), "{allowed}");
    }
}

#[test]
fn an_operator_can_list_networks() {
    let networks = "10.1.0.0/16,8.8.8.0/24";
    assert_eq!(check("base", "https://10.1.2.3/", networks), Ok(()));
    assert_eq!(check("base", "http://10.1.2.3:8080/", networks), Ok(()), "listed, and not public");
    assert!(check("base", "http://8.8.8.8/", networks).is_err(), "a public address takes no credential without TLS");
    assert!(check("base", "https://10.2.0.1/", networks).is_err());
    assert!(check("base", "https://169.254.169.254/", "0.0.0.0/0").is_err());
    assert_eq!(check("base", "http://gitlab.local/", networks), Ok(()), "a name is decided when it is resolved");
    assert_eq!(check("base", "http://gitlab:3000/", networks), Ok(()));
    assert!(check("base", "http://gitlab.local/", "").is_err());
    assert!(check("base", "https://metadata.google.internal/", networks).is_err());
    assert_eq!(check("host", "10.1.0.5", networks), Ok(()));
    assert!(check("host", "10.2.0.5", networks).is_err());
    assert_eq!(check("host", "db", networks), Ok(()));
}

#[test]
fn a_host_is_a_name_or_an_address_and_nothing_else() {
    for refused in [
        "db:5432",
        "https://db.example",
        "db.example/",
        "[::1]",
        "/var/run/postgresql",
        "db example",
        "127.1",
        "0x7f.1",
        "db",
        "::1",
        "127.0.0.1",
        "",
    ] {
        assert!(check("host", refused, "").is_err(), "{refused}");
    }
    for allowed in ["db.example.com", "DB.example.com", "8.8.8.8", "2606:4700:4700::1111"] {
        assert_eq!(check("host", allowed, ""), Ok(()), "{allowed}");
    }
}

#[test]
fn a_base_url_may_be_bound_to_domains() {
    assert_eq!(check("sales", "https://acme.my.salesforce.example", ""), Ok(()));
    assert!(check("sales", "https://evil.example", "").is_err());
    assert!(check("sales", "https://salesforce.example", "").is_err());
    assert!(check("sales", "https://salesforce.example.evil.example", "").is_err());
}

#[tokio::test]
async fn a_base_url_keeps_its_port_and_its_path() {
    let provider = provider(&with_url("{base}/v1/me"));
    for (base, line) in [
        ("https://git.example.com", "GET https://git.example.com/v1/me"),
        ("https://git.example.com:8443/api/v3/", "GET https://git.example.com:8443/api/v3/v1/me"),
        ("http://10.1.2.3:8080/x", "GET http://10.1.2.3:8080/x/v1/me"),
    ] {
        let entered = Entered::new(&[("api_token", "t")], &json!({ "base": base }));
        let script = Scripted::new([]);
        run(&provider, &entered, &script).await;
        assert_eq!(script.lines(), [line]);
    }
}

#[tokio::test]
async fn vars_make_hosts() {
    for (url, config, line) in [
        ("https://{api}/v1", json!({}), "GET https://api.acme.example/v1"),
        ("https://{api}/v1", json!({ "region": "eu" }), "GET https://api.eu.acme.example/v1"),
        ("https://{app_label}.acme.example/", json!({ "app": "B1QQ" }), "GET https://b1qq.acme.example/"),
        ("https://{center}.api.acme.example/", json!({}), "GET https://us6.api.acme.example/"),
    ] {
        let entered = Entered::new(&[("api_token", "0123-us6")], &config);
        let script = Scripted::new([]);
        run(&provider(&with_url(url)), &entered, &script).await;
        assert_eq!(script.lines(), [line]);
    }
}
