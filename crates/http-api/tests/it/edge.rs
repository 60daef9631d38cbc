//! What every answer has.

use std::collections::BTreeSet;

use crate::support::{Bench, Log, Server, exchange, request, with_token};

#[actix_web::test]
async fn every_request_has_an_id_of_its_own() {
    let bench = Bench::start();
    let mut seen = BTreeSet::new();
    for _ in 0..10 {
        let sent = request("GET", "/health/live").insert_header(("X-Request-Id", "chosen-by-the-client"));
        let answer = bench.send(sent).await;
        assert!(seen.insert(answer.header("x-request-id").unwrap().to_owned()));
    }
}

#[actix_web::test]
async fn a_request_is_told_by_route_and_not_by_path() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    let log = Log::capture();
    let path = "/api/integrations/catalog/slack?q=CANARY-QUERY";
    let answer = bench.send(with_token(request("GET", path), &token)).await;
    bench.send(request("PROPFIND", "/CANARY-PATH")).await;
    let told = log.text();
    let line = told.lines().find(|line| line.contains("answered")).unwrap();
    for expected in [
        "method=\"GET\"",
        "route=\"/api/integrations/catalog/{catalogId}\"",
        "status=200",
        "latency_us=",
        "actor.kind=\"api_key\"",
        answer.header("x-request-id").unwrap(),
    ] {
        assert!(line.contains(expected), "{expected}: {line}");
    }
    let other = told.lines().filter(|line| line.contains("answered")).nth(1).unwrap();
    assert!(other.contains("method=\"OTHER\"") && other.contains("route=\"(unmatched)\""), "{other}");
    assert!(!told.contains("CANARY"), "{told}");
}

#[actix_web::test]
async fn a_drain_asks_clients_to_go_elsewhere() {
    let bench = Bench::start();
    let server = Server::start(&bench.api);
    let live = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    bench.api.drain();
    // The connection is closed although nobody asked for it.
    let answer = exchange(&server, live).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{answer}");
}
