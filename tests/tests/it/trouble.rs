//! Runtimes that misbehave. The API answers, the state is visible, nobody else waits, and everything converges once the
//! runtime is good again.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use e2e::faults::{Fault, Route};
use e2e::{Api, Installation, Runtime, Store, Stub, Witness, answer, eventually, on_both_stores};
use reqwest::Method;
use serde_json::json;

on_both_stores!(
    every_failure_is_seen_and_passes,
    a_runtime_that_hangs_holds_up_nobody,
    a_refused_token_waits_for_a_person,
    a_restored_backup_catches_up,
    nothing_is_followed_or_read_without_end,
    a_runtime_that_forgot_everything,
    the_last_of_many_changes_wins,
    a_runtime_of_its_own_process,
);

/// What each agent's runtime does wrong, and what is then said of it.
fn failures() -> Vec<(&'static str, Fault, &'static str)> {
    let json = |body: &str| Fault::lie(body);
    vec![
        ("error", Fault::status(500), "server_error"),
        ("garbage", json("<html>it works</html>"), "bad_answer"),
        ("not-synced", json(r#"{"synced":false,"count":1,"generation":2}"#), "bad_answer"),
        ("other-count", json(r#"{"synced":true,"count":7,"generation":2}"#), "bad_answer"),
        ("other-generation", json(r#"{"synced":true,"count":1,"generation":1}"#), "bad_answer"),
        ("empty", json(""), "bad_answer"),
        ("cut", Fault::Cut, "refused"),
    ]
}

async fn every_failure_is_seen_and_passes(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let api = installation.api();
    let mut troubled = Vec::new();
    for (name, fault, code) in failures() {
        let runtime = Runtime::start().await;
        let agent = api.register(name, &runtime).await;
        api.wait_in_sync(&agent).await;
        runtime.handle().faults().always(Route::Sync, fault);
        api.connect_acme(&agent, "default", name).await;
        troubled.push((name, agent, runtime, code));
    }
    let mut down = Runtime::start().await;
    let agent = api.register("down", &down).await;
    api.wait_in_sync(&agent).await;
    down.stop().await;
    api.connect_acme(&agent, "default", "down").await;
    troubled.push(("down", agent, down, "refused"));

    let (sound, healthy) = healthy(&api).await;
    for (name, agent, _, code) in &troubled {
        let what = format!("{name} seen as {code}");
        let view = eventually(&what, async || {
            Some(api.sync(agent).await).filter(|view| view["state"] == "failing" && !view["last_error"].is_null())
        });
        let view = view.await;
        assert_eq!(view["last_error"]["code"], *code, "{name}: {view}");
        assert!(view["last_error"]["detail"].is_string() && view["last_error"]["at"].is_string(), "{view}");
        assert!(view["next_attempt_at"].is_string(), "{name} is tried again: {view}");
        let live = view["variables"].as_array().unwrap().iter().any(|variable| variable["state"] == "live");
        assert!(!live, "nothing is live that was not confirmed: {view}");
    }
    for (name, agent, runtime, _) in &mut troubled {
        match *name {
            "down" => runtime.restart().await,
            "error" => runtime.handle().faults().clear(),
            _ => {
                // What the first two wait for, these need not wait for as well.
                runtime.handle().faults().clear();
                api.request_sync(agent).await;
            }
        }
        runtime.wait_for_env(&[("ACME_API_TOKEN", name)]).await;
        api.wait_in_sync(agent).await;
    }
    drop((sound, healthy));
}

/// An agent that nobody else's trouble keeps from its credentials.
async fn healthy(api: &Api) -> (Runtime, String) {
    let runtime = Runtime::start().await;
    let agent = api.register("Healthy", &runtime).await;
    api.connect_acme(&agent, "default", "well").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "well")]).await;
    (runtime, agent)
}

async fn a_runtime_that_hangs_holds_up_nobody(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, hanging, silent) = (installation.api(), Runtime::start().await, Runtime::start().await);
    hanging.handle().faults().next(Route::Sync, Fault::Silence);
    silent.handle().faults().always(Route::Sync, Fault::Silence);
    let agent = api.register("Hanging", &hanging).await;
    let unchanged = api.register("Silent", &silent).await;
    for runtime in [&hanging, &silent] {
        eventually("the push that hangs", async || (runtime.handle().calls(Route::Sync) > 0).then_some(())).await;
    }

    let id = api.connect_acme(&agent, "default", "one").await;
    api.patch(&format!("/api/agents/{agent}/integrations/{id}"), json!({ "token": "two" })).await.json(200);
    let view = api.sync(&agent).await;
    assert_ne!(view["state"], "in_sync", "{view}");
    let _healthy = healthy(&api).await;
    assert_eq!(hanging.handle().calls(Route::Sync), 1, "all of this happened while the first push hung");

    hanging.wait_for_env(&[("ACME_API_TOKEN", "two")]).await;
    api.wait_in_sync(&agent).await;
    api.wait_failing(&unchanged, "timeout").await;
    silent.handle().faults().clear();
    api.wait_in_sync(&unchanged).await;
}

async fn a_refused_token_waits_for_a_person(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register_at("Wrong token", &runtime.url(), "not-the-token").await;
    let view = api.wait_failing(&agent, "auth").await;
    assert!(view["next_attempt_at"].is_null(), "a person has to act: {view}");

    runtime.handle().faults().always(Route::Sync, Fault::status(401));
    let place = json!({ "runtime": { "url": runtime.url(), "token": runtime.token() } });
    api.patch(&format!("/api/agents/{agent}"), place).await.json(200);
    let refused_again = async || {
        let tried_again = runtime.handle().calls(Route::Sync) > 1;
        (tried_again && api.wait_failing(&agent, "auth").await["next_attempt_at"].is_null()).then_some(())
    };
    eventually("another attempt after the change, and none after that", refused_again).await;

    runtime.handle().faults().clear();
    api.request_sync(&agent).await;
    api.wait_in_sync(&agent).await;
    api.connect_acme(&agent, "default", "t").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
}

async fn a_restored_backup_catches_up(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Restored", &runtime).await;
    api.wait_in_sync(&agent).await;
    // What a server pushed that was lost with its database.
    let sql = crate::sql::Sql::open(&installation);
    sql.change("UPDATE sync_targets SET desired = 500, applied = 499").await;
    api.connect_acme(&agent, "default", "lost").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "lost")]).await;
    let held = runtime.handle().generation().unwrap();
    assert!(held >= 500, "{held}");
    api.wait_in_sync(&agent).await;
    sql.change("UPDATE sync_targets SET desired = 3, applied = 3").await;

    api.connect_acme(&agent, "new", "found").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "lost"), ("ACME_API_TOKEN__NEW", "found")]).await;
    let view = api.wait_in_sync(&agent).await;
    assert!(view["applied_generation"].as_u64().unwrap() > held, "{view}");
    let audit = api.get("/api/audit").await.json(200);
    let raised = audit.as_array().unwrap().iter().filter(|line| line["action"] == "agent.generation_raised").count();
    assert_eq!(raised, 1, "{audit}");
}

async fn nothing_is_followed_or_read_without_end(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let api = installation.api();
    let forbidden = Stub::answering(answer(200, &[], "{}")).await;
    let location = forbidden.url();
    let redirecting = Stub::answering(answer(307, &[("location", &location)], "")).await;
    let endless = Stub::start(|_, mut stream| async move {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n";
        let filler = vec![b'{'; 64 * 1024];
        let mut said = tokio::io::AsyncWriteExt::write_all(&mut stream, head.as_bytes()).await;
        while said.is_ok() {
            said = tokio::io::AsyncWriteExt::write_all(&mut stream, &filler).await;
        }
    });
    let endless = endless.await;
    let to_redirecting = api.register_at("Redirecting", &redirecting.url(), "token").await;
    let to_endless = api.register_at("Endless", &endless.url(), "token").await;
    for agent in [to_redirecting, to_endless] {
        eventually("a failure", async || {
            let view = api.sync(&agent).await;
            (view["state"] == "failing").then(|| assert_eq!(view["last_error"]["code"], "bad_answer", "{view}"))
        })
        .await;
    }
    assert_eq!(forbidden.calls(), 0, "a redirect was followed");
}

async fn a_runtime_that_forgot_everything(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, mut runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Forgetful", &runtime).await;
    api.connect_acme(&agent, "default", "t").await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
    api.wait_in_sync(&agent).await;
    runtime.restart().await;
    assert!(runtime.env().is_empty());
    api.request_sync(&agent).await;
    runtime.wait_for_env(&[("ACME_API_TOKEN", "t")]).await;
}

async fn the_last_of_many_changes_wins(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let witness = Witness::before(&runtime.url(), Duration::from_millis(200)).await;
    let agent = api.register_at("Changing", &witness.url(), runtime.token()).await;
    let id = api.connect_acme(&agent, "default", "v0").await;
    let path = format!("/api/agents/{agent}/integrations/{id}");
    for version in 1..=9 {
        api.patch(&path, json!({ "token": format!("v{version}") })).await.json(200);
    }
    runtime.wait_for_value("ACME_API_TOKEN", "v9").await;
    api.wait_in_sync(&agent).await;
    assert_eq!(runtime.env()["ACME_API_TOKEN"], "v9");
    let seen = witness.seen();
    assert!(seen.generations(&agent).is_sorted(), "{seen:?}");
    assert_eq!(seen.most_at_once, 1, "one push at a time for one agent");
}

/// A process that does not outlive the scenario.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program `reference-runtime`, as an operator starts it.
fn program(folder: &Path, port: u16) -> Kept {
    let mut command = Command::new(e2e::reference_runtime());
    command.arg("--listen").arg(format!("127.0.0.1:{port}"));
    command.arg("--token-file").arg(folder.join("runtime.token")).arg("--state").arg(folder.join("runtime.state"));
    Kept(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

async fn a_runtime_of_its_own_process(store: Store) {
    let installation = Installation::new(store).await;
    let _server = installation.start().await;
    let (api, folder, port) = (installation.api(), installation.scratch(), e2e::free_port());
    std::fs::write(folder.join("runtime.token"), "the-runtimes-token\n").unwrap();
    let running = program(&folder, port);
    let url = format!("http://127.0.0.1:{port}");
    let agent = api.register_at("Process", &url, "the-runtimes-token").await;
    api.connect_acme(&agent, "default", "kept").await;
    let generation = api.wait_in_sync(&agent).await["applied_generation"].clone();
    drop(running);

    let _running = program(&folder, port);
    let runtime = Api::new(url, "the-runtimes-token");
    let shown = eventually("the runtime back", async || runtime.send(Method::GET, "/env", &[], None).await.ok()).await;
    let shown = shown.json(200);
    assert_eq!(shown["generation"], generation, "it kept what it was given over a kill");
    assert!(shown["env"]["ACME_API_TOKEN"].as_str().unwrap().starts_with("sha256:"), "{shown}");
    api.connect_acme(&agent, "more", "pushed").await;
    api.wait_in_sync(&agent).await;
    let shown = runtime.get("/env").await.json(200);
    assert_eq!(shown["env"].as_object().unwrap().len(), 2, "{shown}");
}
