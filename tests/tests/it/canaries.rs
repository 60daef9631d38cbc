//! Secrets that must turn up nowhere: planted wherever one can be sent, searched for wherever one could end.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use e2e::faults::{Fault, Route};
use e2e::{Api, Installation, Runtime, Store, Stub, answer, eventually, free_port, on_both_stores};
use reqwest::Method;
use serde_json::json;

use crate::sql::Sql;

on_both_stores!(no_secret_leaves_its_place);

/// A secret of one place, long enough to be nothing else.
fn canary(place: &str) -> String {
    format!("cnry{place}Qx7Zk2Vt9Lw4Rb8")
}

/// The seed of a key to sign with, in the only form it may be sent in.
const DEVICE_KEY: &str = "8a1d60aa0c7a3f52cc0e4b8f1d9e6a7753d2c4b1a0f9e8d7c6b5a49382716f5e";

const PLACES: [&str; 23] = [
    "token",
    "config",
    "patchedtoken",
    "patchedconfig",
    "runtime",
    "movedruntime",
    "gateway",
    "gatewayfailed",
    "badjson",
    "wrongtype",
    "unknownprovider",
    "failedschema",
    "unknownfield",
    "candidate",
    "candidateconfig",
    "echoed",
    "wrongruntime",
    "bearer",
    "query",
    "idempotent",
    "mismatch",
    "runtimesays",
    "path",
];

async fn no_secret_leaves_its_place(store: Store) {
    let mut installation = Installation::new(store).await;
    installation.set("RUST_LOG", "trace");
    installation.set("NORA_LOG_FORMAT", "json");
    let server = installation.start().await;
    let (api, runtime, moved) = (installation.api(), Runtime::start().await, Runtime::start().await);
    let agent = register(&api).await;
    succeed(&api, &agent).await;
    fail(&api, &agent).await;
    test(&api, &agent).await;
    misbehave(&api, &runtime, &moved).await;

    api.get("/api/agents").await.json(200);
    api.get(&format!("/api/agents/{agent}")).await.json(200);
    api.get(&format!("/api/agents/{agent}/integrations")).await.json(200);
    api.sync(&agent).await;
    api.get("/api/audit?limit=200").await.json(200);
    api.get("/api/keys").await.json(200);
    api.get("/api/openapi.json").await.json(200);
    api.get("/docs").await;
    api.get("/health/ready").await;
    api.at(installation.metrics_url()).get("/metrics").await;

    let rows = Sql::open(&installation).dump().await;
    search(&installation, &api, &rows);
    assert_eq!(server.stop().await.code, Some(0));
    search(&installation, &api, &rows);
}

/// Everything that is kept or was said, with a name for whoever finds something in it.
fn search(installation: &Installation, api: &Api, rows: &str) {
    let mut places = vec![
        ("the answers".to_owned(), api.transcript().into_bytes()),
        ("the logs".to_owned(), installation.logs().into_bytes()),
        ("the database's rows".to_owned(), rows.as_bytes().to_vec()),
    ];
    let own: [PathBuf; 2] = [installation.data_dir().join("bootstrap-key"), installation.keyring()];
    for file in files(&installation.data_dir()).into_iter().filter(|file| !own.contains(file)) {
        places.push((file.display().to_string(), fs::read(&file).unwrap()));
    }
    for (place, expected) in [(0, "needs_reconnect"), (1, "\"level\":\"DEBUG\"")] {
        let (name, content) = &places[place];
        assert!(contains(content, expected.as_bytes()), "{name} hold what they always hold: {expected}");
    }
    let kept = places[2..].iter().any(|(_, content)| contains(content, b"public-project"));
    assert!(kept, "what is no secret is found in the database");
    let mut secrets: Vec<(String, String)> = PLACES.iter().map(|place| ((*place).to_owned(), canary(place))).collect();
    secrets.push(("the bootstrap key".to_owned(), installation.bootstrap_key()));
    secrets.push(("the device key".to_owned(), DEVICE_KEY.to_owned()));
    secrets.push(("the device key".to_owned(), STANDARD.encode(hex::decode(DEVICE_KEY).unwrap())));
    let keyring = fs::read_to_string(installation.keyring()).unwrap();
    let keys = keyring.split_whitespace().filter(|word| word.len() == 44 && word.ends_with('='));
    secrets.extend(keys.map(|key| ("a key of the keyring".to_owned(), key.to_owned())));
    for (name, secret) in &secrets {
        for form in forms(secret) {
            for (place, content) in &places {
                assert!(!contains(content, form.as_bytes()), "{name} is in {place} as {form}");
            }
        }
    }
}

/// The ways a text may be written: as it is, in hexadecimal, and in Base64 at each of its three alignments.
fn forms(secret: &str) -> Vec<String> {
    let lower = hex::encode(secret);
    let mut forms = vec![secret.to_owned(), lower.to_uppercase(), lower];
    for offset in 0..3 {
        let shifted = [&vec![b'.'; offset], secret.as_bytes()].concat();
        let whole = shifted.len() / 3 * 3;
        let inner = shifted.get(..whole).unwrap();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            forms.push(engine.encode(inner).split_off(if offset == 0 { 0 } else { 4 }));
        }
    }
    forms
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    let starts = content.iter().enumerate().filter(|(_, byte)| **byte == first).map(|(place, _)| place);
    starts.into_iter().any(|place| content[place..].starts_with(wanted))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}

/// An agent whose runtime and gateway have secrets. Nobody listens there.
async fn register(api: &Api) -> String {
    let (sidecar, gateway) = (free_port(), free_port());
    let url = format!("http://127.0.0.1:{sidecar}");
    let place = json!({ "kind": "openclaw", "url": url, "token": canary("runtime") });
    let url = format!("ws://127.0.0.1:{gateway}");
    let gateway = json!({ "url": url, "token": canary("gateway"), "device_key": DEVICE_KEY });
    let body = json!({ "name": "Secrets", "runtime": place, "gateway": gateway });
    let agent = api.post("/api/agents", body).await.json(201)["id"].as_str().unwrap().to_owned();

    let taken = json!({ "url": url, "token": canary("gatewayfailed") });
    let body = json!({ "name": "Second", "runtime": { "kind": "openclaw" }, "gateway": taken });
    api.post("/api/agents", body).await.problem(409, "gateway_taken");
    agent
}

async fn succeed(api: &Api, agent: &str) {
    let config = json!({ "signing_key": canary("config"), "project": "public-project" });
    let body = json!({ "provider": "acme", "token": canary("token"), "config": config });
    let id = api.connect(agent, body).await;
    let change = json!({ "token": canary("patchedtoken"), "config": { "signing_key": canary("patchedconfig") } });
    api.patch(&format!("/api/agents/{agent}/integrations/{id}"), change).await.json(200);
    let path = format!("/api/agents/{agent}/integrations");
    for (place, status) in [("idempotent", 201), ("mismatch", 409)] {
        let body = json!({ "provider": "acme", "label": "once", "token": canary(place) });
        let keyed = api.send(Method::POST, &path, &[("idempotency-key", "one")], Some(body)).await.unwrap();
        assert_eq!(keyed.status, status, "{}", keyed.body);
    }
}

async fn fail(api: &Api, agent: &str) {
    let path = format!("/api/agents/{agent}/integrations");
    let secret = canary("badjson");
    let bodies = [
        format!(r#"{{"provider":"acme","token":"{secret}""#),
        format!(r#"{{"provider":"acme","token":{secret}}}"#),
        format!(r#"{{"provider":"acme","token":"x","token":"{secret}"}}"#),
        format!(r#"{{"provider":"acme","token":"{secret}\u0000"}}"#),
        format!("{secret}={secret}"),
    ];
    for body in bodies {
        let headers = [("content-type", "application/json")];
        let refused = api.send_bytes(Method::POST, &path, &headers, body.into()).await.unwrap();
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    let secret = canary("wrongtype");
    for body in [
        json!({ "provider": "acme", "token": { (secret.clone()): 1 } }),
        json!({ "provider": "acme", "token": [secret] }),
        json!({ "provider": { "a": secret }, "token": "t" }),
        json!({ "provider": "acme", "token": "t", "config": secret }),
        json!({ "provider": "acme", "token": "t", "config": { "level": secret } }),
        json!({ "provider": "acme", "token": "t", "config": { "signing_key": [secret] } }),
        json!({ "provider": "acme", "token": "t", "label": secret }),
    ] {
        assert_eq!(api.post(&path, body).await.status, 400);
    }
    for body in [
        json!({ "provider": "nothing", "token": canary("unknownprovider") }),
        json!({ "provider": canary("unknownprovider"), "token": "t" }),
        json!({ "provider": "acme", "token": canary("failedschema"), "config": { "level": 99 } }),
        json!({ "provider": "acme", "token": "t", "config": { "project": canary("failedschema").repeat(3) } }),
        json!({ "provider": "acme", "token": "t", "config": { "base_url": format!("http://u:{}@h", canary("failedschema")) } }),
        json!({ "provider": "acme", "token": "t", "config": { (canary("unknownfield")): "x" } }),
        json!({ "provider": "acme", "token": "t", (canary("unknownfield")): "x" }),
    ] {
        let refused = api.post(&path, body).await;
        assert!((400..500).contains(&refused.status) || refused.status == 201, "{}", refused.body);
    }
    let bearer = format!("Bearer {}", canary("bearer"));
    let refused = api.send(Method::GET, &path, &[("authorization", &bearer)], None).await.unwrap();
    assert_eq!(refused.status, 401);
    api.get(&format!("/api/agents?token={}", canary("query"))).await;
    api.get(&format!("/api/agents/{}", canary("path"))).await.problem(404, "agent_not_found");
}

/// A third party that repeats what it was sent, in its headers and in its body.
async fn test(api: &Api, agent: &str) {
    let echo = Stub::start(|request, mut stream| async move {
        let said = request.header("authorization").to_owned();
        let headers = [("content-type", "application/json"), ("x-echo", said.as_str())];
        let body = json!({ "id": 7, "name": said, "error": said }).to_string();
        let status = if said.contains(&canary("echoed")) { 200 } else { 401 };
        tokio::io::AsyncWriteExt::write_all(&mut stream, &answer(status, &headers, &body)).await.unwrap();
    });
    let echo = echo.await;
    let path = format!("/api/agents/{agent}/integrations/test");
    for place in ["candidate", "echoed"] {
        let config = json!({ "base_url": echo.url(), "signing_key": canary("candidateconfig") });
        let candidate = json!({ "provider": "acme", "token": canary(place), "config": config });
        assert_eq!(api.post(&path, candidate).await.json(200)["success"], false);
    }
}

/// Runtimes that refuse the token and repeat what is in the push, and one that is left.
async fn misbehave(api: &Api, runtime: &Runtime, moved: &Runtime) {
    let agent = api.register_at("Wrong", &runtime.url(), &canary("wrongruntime")).await;
    api.connect_acme(&agent, "default", &canary("token")).await;
    api.wait_failing(&agent, "auth").await;
    let says =
        Fault::Answer { status: 500, headers: vec![("x-says", canary("runtimesays"))], body: canary("runtimesays") };
    moved.handle().faults().next(Route::Sync, says);
    let place = json!({ "runtime": { "url": moved.url(), "token": moved.token() } });
    api.patch(&format!("/api/agents/{agent}"), place).await.json(200);
    moved.wait_for_env(&[("ACME_API_TOKEN", &canary("token"))]).await;
    let again = json!({ "runtime": { "url": runtime.url(), "token": canary("movedruntime") } });
    api.patch(&format!("/api/agents/{agent}"), again).await.json(200);
    eventually("the left runtime empty", async || moved.env().is_empty().then_some(())).await;
}

#[test]
fn a_secret_is_found_in_every_form() {
    let secret = canary("form");
    for before in ["", ".", "..", "..."] {
        let text = format!("{before}{secret}.");
        let written = [
            text.clone(),
            hex::encode(&text),
            hex::encode_upper(&text),
            STANDARD.encode(&text),
            URL_SAFE_NO_PAD.encode(&text),
        ];
        for content in written {
            assert!(forms(&secret).iter().any(|form| contains(content.as_bytes(), form.as_bytes())), "{content}");
        }
    }
    assert!(!forms(&secret).iter().any(|form| contains(canary("other").as_bytes(), form.as_bytes())));
}
