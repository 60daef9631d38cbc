//! Hostile bytes on a socket: at most one answer, nothing smuggled in, and the server as well as before.

use actix_web::rt;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Bench, Server, exchange};

const LIVE: &str = "GET /health/live HTTP/1.1\r\nHost: x\r\n";

fn answers(text: &str) -> usize {
    text.matches("HTTP/1.1 ").count()
}

async fn check_healthy(server: &Server) {
    let answer = exchange(server, format!("{LIVE}Connection: close\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[actix_web::test]
async fn ambiguous_and_oversized_framing_is_refused() {
    let bench = Bench::start();
    let server = Server::start(&bench.api);
    let smuggled = format!("{LIVE}\r\n");
    let post = "POST /api/agents HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let cases: Vec<(&str, String)> = vec![
        ("CL and TE", format!("{post}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("two lengths", format!("{post}Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}{smuggled}")),
        ("negative length", format!("{post}Content-Length: -5\r\n\r\n{smuggled}")),
        ("signed length", format!("{post}Content-Length: +5\r\n\r\n{smuggled}")),
        ("unknown TE", format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{smuggled}")),
        ("two TE", format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{smuggled}")),
        ("folded header", format!("{LIVE}X: a\r\n b\r\n\r\n")),
        ("space before colon", "GET /health/live HTTP/1.1\r\nHost : x\r\n\r\n".to_owned()),
        ("two hosts", format!("{LIVE}Host: y\r\n\r\n")),
        ("no host", "GET /health/live HTTP/1.1\r\n\r\n".to_owned()),
        ("NUL in a header", format!("{LIVE}X: a\0b\r\n\r\n")),
        ("long target", format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "x".repeat(65_000))),
        ("endless head", format!("{LIVE}X: {}", "x".repeat(300_000))),
        ("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
        ("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03\r\n\r\n".to_owned()),
        ("CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\nConnection: close\r\n\r\n".to_owned()),
    ];
    for (name, bytes) in cases {
        let answer = exchange(&server, bytes.as_bytes()).await;
        assert!(answers(&answer) <= 1, "{name}: {answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{name}: {answer}");
        check_healthy(&server).await;
    }
}

#[actix_web::test]
async fn broken_chunks_end_the_connection() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let server = Server::start(&bench.api);
    let head = format!(
        "POST /api/agents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let cases = [
        ("a huge chunk", format!("{head}FFFFFFFFFFFFFFFF\r\n{{}}")),
        ("a chunk beyond numbers", format!("{head}FFFFFFFFFFFFFFFFFF\r\n{{}}")),
        ("no number", format!("{head}x\r\n{{}}\r\n0\r\n\r\n")),
        ("a chunk longer than it says", format!("{head}1\r\n{{}}}}\r\n0\r\n\r\n")),
        ("an endless chunk extension", format!("{head}2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(1 << 20))),
    ];
    for (name, bytes) in cases {
        let mut stream = server.connect().await;
        let _ = stream.write_all(bytes.as_bytes()).await;
        // A sender that stops is not waited for.
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answers(&answer) <= 1, "{name}: {answer}");
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{name}: {answer}");
        check_healthy(&server).await;
    }
    assert_eq!(bench.get(&admin, "/api/agents").await.json(), serde_json::json!([]), "nothing came of any of them");
}

#[actix_web::test]
async fn an_offer_to_speak_http_2_is_not_taken() {
    let bench = Bench::start();
    let server = Server::start(&bench.api);
    let upgrade = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings";
    let mut stream = server.connect().await;
    stream.write_all(format!("{LIVE}{upgrade}\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    check_healthy(&server).await;
}

#[actix_web::test]
async fn a_thousand_requests_at_once_get_a_thousand_answers() {
    let bench = Bench::start();
    let server = Server::start(&bench.api);
    let mut stream = server.connect().await;
    // A HEAD among them must not bring a body out of step.
    let pair = format!("{LIVE}\r\nHEAD /health/live HTTP/1.1\r\nHost: x\r\n\r\n");
    let requests = pair.repeat(999) + LIVE + "Connection: close\r\n\r\n";
    let mut answers = String::new();
    let (mut read, mut write) = stream.split();
    let (sent, received) = tokio::join!(write.write_all(requests.as_bytes()), read.read_to_string(&mut answers));
    sent.unwrap();
    received.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1999);
    assert_eq!(answers.matches("{\"status\":\"live\"}").count(), 1000);
}

#[actix_web::test]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let bench = Bench::start();
    let server = Server::start(&bench.api);
    let answer = exchange(&server, b"GET /health/live HTTP/1.1\r\nHo").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
    rt::task::yield_now().await;
    check_healthy(&server).await;
}
