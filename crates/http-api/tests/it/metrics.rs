//! Numbers about requests.

use prometheus_client::encoding::text::encode;

use crate::support::{Bench, request};

#[actix_web::test]
async fn requests_are_counted_by_route_method_and_class() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    bench.get(&token, "/api/integrations/catalog/slack").await;
    bench.get(&token, "/api/integrations/catalog/nothing").await;
    bench.get(&token, "/api/integrations/catalog/other").await;
    bench.send(request("BREW", "/api/agents")).await;
    bench.send(request("GET", "/of/a/clients/choosing")).await;
    let mut text = String::new();
    encode(&mut text, &bench.registry).unwrap();
    let item = "route=\"/api/integrations/catalog/{catalogId}\",method=\"GET\"";
    for expected in [
        format!("http_requests_total{{{item},status=\"2xx\"}} 1"),
        format!("http_requests_total{{{item},status=\"4xx\"}} 2"),
        format!("http_request_duration_seconds_count{{{item}}} 3"),
        "http_requests_total{route=\"/api/agents\",method=\"OTHER\",status=\"4xx\"} 1".to_owned(),
        "http_requests_total{route=\"(unmatched)\",method=\"GET\",status=\"4xx\"} 1".to_owned(),
    ] {
        assert!(text.contains(&expected), "{expected}\n{text}");
    }
    assert!(!text.contains("choosing") && !text.contains("BREW"), "{text}");
}
