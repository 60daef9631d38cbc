//! Eight seconds for everything.

use std::time::Duration;

use nora_integrations::ports::TestContexts as _;
use nora_provider_sdk::{NetworkError, Request, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, advance, pause};

use crate::support::{answering, egress, silent};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

fn get(address: std::net::SocketAddr) -> Request {
    Request::get(format!("http://{address}/").parse().unwrap())
}

#[tokio::test]
async fn steps_share_one_budget_and_a_new_context_has_its_own() {
    let (good, bad) = (answering(ANSWER).await, silent().await);
    let egress = egress();
    let start = Instant::now();
    let context = egress.open();
    context.http().send(get(good)).await.unwrap();
    // From here on waiting takes no time: the clock jumps to the next timer.
    pause();
    advance(Duration::from_secs(6)).await;
    assert_eq!(context.http().send(get(bad)).await.err(), Some(NetworkError::Timeout));
    let took = start.elapsed();
    assert!((8..9).contains(&took.as_secs()), "all steps took {took:?}");
    assert_eq!(context.http().send(get(good)).await.err(), Some(NetworkError::Timeout), "nothing is left");
    assert_eq!(context.connect("127.0.0.1", good.port(), Transport::Tls).await.err(), Some(NetworkError::Timeout));

    tokio::time::resume();
    assert_eq!(egress.open().http().send(get(good)).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_stream_ends_with_the_test() {
    let context = egress().context();
    let mut stream = context.connect("127.0.0.1", silent().await.port(), Transport::Tls).await.unwrap();
    stream.write_all(b"hello").await.unwrap();
    pause();
    let error = stream.read_u8().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(error.get_ref().and_then(|inner| inner.downcast_ref()), Some(&NetworkError::Timeout));
    let error = stream.write_all(b"again").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
}
