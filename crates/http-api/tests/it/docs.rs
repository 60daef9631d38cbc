//! The reference page.

use actix_web::http::header::{ACCEPT_ENCODING, IF_NONE_MATCH};
use nora_http_api::openapi_json;

use crate::support::{Bench, request};

#[actix_web::test]
async fn the_page_talks_to_this_origin_alone() {
    let bench = Bench::start();
    let page = bench.send(request("GET", "/docs")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"));
    assert!(!policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"), "{policy}");
    let html = page.text();
    assert!(html.contains("src=\"/docs/scalar.js\"") && html.contains("data-url=\"/api/openapi.json\""));
    assert!(!html.contains("http://") && !html.contains("https://"), "nothing from elsewhere: {html}");
}

#[actix_web::test]
async fn the_script_is_served_compressed() {
    let bench = Bench::start();
    let script = bench.send(request("GET", "/docs/scalar.js").insert_header((ACCEPT_ENCODING, "gzip, br"))).await;
    assert_eq!((script.status, script.header("content-encoding")), (200, Some("gzip")));
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("vary"), Some("Accept-Encoding"));
    assert!(script.body.starts_with(&[0x1f, 0x8b]) && script.body.len() > 500_000);
    let etag = script.header("etag").unwrap().to_owned();
    let again = bench.send(request("GET", "/docs/scalar.js").insert_header((IF_NONE_MATCH, etag))).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let plain = bench.send(request("GET", "/docs/scalar.js").insert_header((ACCEPT_ENCODING, "identity"))).await;
    assert_eq!(plain.problem(), (406, "not_acceptable".to_owned()));
}

#[actix_web::test]
async fn the_document_is_the_crate_s_own() {
    let bench = Bench::start();
    let answer = bench.send(request("GET", "/api/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.text(), openapi_json());
}
