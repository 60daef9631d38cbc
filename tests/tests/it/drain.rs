//! An orderly end: what is in flight finishes, and nothing is begun any more.

use std::sync::Arc;

use e2e::faults::{Fault, Route};
use e2e::{Installation, Runtime, Store, Stub, answer, eventually, on_both_stores};
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Notify;

on_both_stores!(what_is_in_flight_finishes, a_hanging_runtime_does_not_hold_up_the_end, an_idle_server_ends);

async fn what_is_in_flight_finishes(store: Store) {
    let installation = Installation::new(store).await;
    let mut server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    let agent = api.register("Draining", &runtime).await;
    api.wait_in_sync(&agent).await;

    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let acme = Stub::start(move |_, mut stream| {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            let json = [("content-type", "application/json")];
            stream.write_all(&answer(200, &json, r#"{"id":"7","name":"Ada"}"#)).await.unwrap();
        }
    });
    let acme = acme.await;
    let candidate = json!({ "provider": "acme", "token": "t", "config": { "base_url": acme.url() } });
    let (client, path) = (api.clone(), format!("/api/agents/{agent}/integrations/test"));
    let request = tokio::spawn(async move { client.post(&path, candidate).await });
    eventually("the test under way", async || (acme.calls() == 1).then_some(())).await;

    let pushes = runtime.handle().calls(Route::Sync);
    runtime.handle().faults().next(Route::Sync, Fault::Delay(std::time::Duration::from_secs(1)));
    api.connect_acme(&agent, "default", "pushed-while-draining").await;
    eventually("the push under way", async || (runtime.handle().calls(Route::Sync) > pushes).then_some(())).await;

    server.ask_to_end();
    eventually("no new request taken", async || {
        let ready = api.send(Method::GET, "/health/ready", &[], None).await;
        ready.map_or(true, |answer| answer.status == 503).then_some(())
    })
    .await;
    release.notify_one();
    let tested = request.await.unwrap().json(200);
    assert_eq!(tested["success"], true, "{tested}");
    let ended = server.wait().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(runtime.env()["ACME_API_TOKEN"], "pushed-while-draining");

    let pushes = runtime.handle().calls(Route::Sync);
    let _server = installation.start().await;
    api.wait_in_sync(&agent).await;
    assert_eq!(runtime.handle().calls(Route::Sync), pushes, "the push was recorded before the end");
}

async fn a_hanging_runtime_does_not_hold_up_the_end(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let (api, runtime) = (installation.api(), Runtime::start().await);
    runtime.handle().faults().next(Route::Sync, Fault::Silence);
    let agent = api.register("Hanging", &runtime).await;
    eventually("the push under way", async || (runtime.handle().calls(Route::Sync) == 1).then_some(())).await;
    let ended = server.stop().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");

    let _server = installation.start().await;
    api.wait_in_sync(&agent).await;
}

async fn an_idle_server_ends(store: Store) {
    let installation = Installation::new(store).await;
    let server = installation.start().await;
    let ended = server.stop().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let second = installation.start().await;
    assert_eq!(second.stop().await.code, Some(0));
}
