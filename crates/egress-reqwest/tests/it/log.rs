//! What the log learns of a test.

use std::io::Write;
use std::sync::{Arc, Mutex};

use nora_kernel::Secret;
use nora_provider_sdk::{Method, Request};
use tracing_subscriber::EnvFilter;

use crate::support::{answering, echo, egress};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_credential_and_no_peers_text_is_logged() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info,nora=trace"))
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let peers = [
        echo().await,
        answering("HTTP/1.1 200 OK\r\ncontent-length: canary-from-peer\r\n\r\n").await,
        answering("canary-from-peer").await,
        answering("HTTP/1.1 500 canary-from-peer\r\ncontent-length: 100\r\n\r\ncanary-from-peer").await,
        "127.0.0.1:1".parse().unwrap(),
        "10.9.9.9:8080".parse().unwrap(),
    ];
    for scheme in ["http", "https"] {
        for peer in peers {
            let url = format!("{scheme}://{peer}/canary-in-path?key=canary-in-query").parse().unwrap();
            let body = Some(Secret::new("canary-in-body".to_owned()));
            let request = Request { method: Method::Post, body, ..Request::get(url) };
            let request = request.header("Authorization", "Bearer canary-in-header");
            // The peers of the first kind wait for a request line, which TLS does not send.
            let step = egress().context();
            let _ = tokio::time::timeout(std::time::Duration::from_millis(100), step.http().send(request)).await;
        }
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("a request got no answer"), "the failures are logged: {text}");
    assert!(!text.contains("canary"), "{text}");
}
