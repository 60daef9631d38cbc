//! A runtime that writes down every delivery, repeated ones too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use e2e::{Stub, answer};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

use super::Lane;

pub(crate) struct Recorder {
    stub: Stub,
    seen: Arc<Mutex<BTreeMap<String, Lane>>>,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let seen: Arc<Mutex<BTreeMap<String, Lane>>> = Arc::default();
        let writer = Arc::clone(&seen);
        let stub = Stub::start(move |request, mut stream| {
            let said = if request.path().ends_with("/channels/receive") {
                record(&writer, &request.body);
                answer(200, &[], r#"{"received":true}"#)
            } else {
                answer(503, &[], "")
            };
            async move {
                // A server that was killed does not want the answer.
                let _ = stream.write_all(&said).await;
            }
        })
        .await;
        Self { stub, seen }
    }

    pub(crate) fn url(&self) -> String {
        self.stub.url()
    }

    pub(crate) fn seen(&self) -> BTreeMap<String, Lane> {
        self.seen.lock().unwrap().clone()
    }
}

fn record(seen: &Mutex<BTreeMap<String, Lane>>, body: &[u8]) {
    let event: Value = serde_json::from_slice(body).unwrap();
    let content: Value = serde_json::from_str(event["content"].as_str().unwrap()).unwrap();
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    let arrival = (text("eventId"), content["n"].as_u64().unwrap());
    seen.lock().unwrap().entry(text("channelId")).or_default().0.push(arrival);
}
