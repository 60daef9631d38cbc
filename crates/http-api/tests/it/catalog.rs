//! The catalog.

use actix_web::http::header::IF_NONE_MATCH;
use serde_json::Value;

use crate::support::{Answer, Bench, request, with_token};

const LIST: &str = "/api/integrations/catalog";

fn ids(answer: &Answer) -> Vec<String> {
    let items = answer.json();
    items.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[actix_web::test]
async fn entries_are_listed_by_category_and_name_and_found_by_filters() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    let check = async |query: &str, expected: &[&str]| {
        let answer = bench.get(&token, &format!("{LIST}{query}")).await;
        assert_eq!((answer.status, ids(&answer).as_slice()), (200, expected.map_owned().as_slice()), "{query}");
    };
    check("", &["retired", "slack", "forge"]).await;
    check("?category=communication", &["retired", "slack"]).await;
    check("?category=nothing", &[]).await;
    check("?category=%27%20OR%201=1", &[]).await;
    check("?category=", &["retired", "slack", "forge"]).await;
    check("?q=MESSAGES+channels", &["slack"]).await;
    check("?q=forge", &["forge"]).await;
    check("?auth_type=basic", &["forge"]).await;
    check("?auth_type=token&category=communication", &["slack"]).await;
    check("?unknown=1&unknown=2", &["retired", "slack", "forge"]).await;
}

trait Owned {
    fn map_owned(&self) -> Vec<String>;
}

impl Owned for [&str] {
    fn map_owned(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

#[actix_web::test]
async fn a_filter_is_given_once_and_right() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    for query in ["?q=a&q=b", "?category=a&category=a", "?auth_type=tokens"] {
        let answer = bench.get(&token, &format!("{LIST}{query}")).await;
        assert_eq!(answer.problem(), (400, "query_invalid".to_owned()), "{query}");
        let parameter = answer.json()["errors"][0]["parameter"].as_str().unwrap().to_owned();
        assert!(query.contains(&parameter));
    }
}

#[actix_web::test]
async fn an_entry_shows_the_page_s_fields_and_more() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    let item = bench.get(&token, &format!("{LIST}/slack")).await.json();
    for (field, expected) in [("id", "slack"), ("name", "Slack"), ("icon", "slack"), ("category", "communication")] {
        assert_eq!(item[field], expected);
    }
    assert_eq!((&item["auth_type"], &item["enabled"]), (&Value::from("token"), &Value::from(true)));
    assert_eq!(item["config_schema"]["properties"]["signing_secret"]["writeOnly"], true);
    assert_eq!(item["credential_fields"][0]["in"], "token");
    assert_eq!(bench.get(&token, &format!("{LIST}/retired")).await.json()["enabled"], false);
    let list = bench.get(&token, LIST).await.json();
    assert!(list.as_array().unwrap().contains(&item));
}

#[actix_web::test]
async fn an_unchanged_answer_is_not_sent_again() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    for path in [LIST.to_owned(), format!("{LIST}?category=communication"), format!("{LIST}/slack")] {
        let first = bench.get(&token, &path).await;
        let etag = first.header("etag").unwrap().to_owned();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "strong: {etag}");
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        for held in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
            let again = request("GET", &path).insert_header((IF_NONE_MATCH, held.clone()));
            let again = bench.send(with_token(again, &token)).await;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {held}");
            assert_eq!(again.header("etag"), Some(etag.as_str()));
        }
        let stale = request("GET", &path).insert_header((IF_NONE_MATCH, "\"x\""));
        assert_eq!(bench.send(with_token(stale, &token)).await.body, first.body);
    }
    let (all, some) = (bench.get(&token, LIST).await, bench.get(&token, &format!("{LIST}?q=slack")).await);
    assert_ne!(all.header("etag"), some.header("etag"));
}

#[actix_web::test]
async fn a_tag_does_not_spare_the_token() {
    let bench = Bench::start();
    let answer = bench.send(request("GET", LIST).insert_header((IF_NONE_MATCH, "*"))).await;
    assert_eq!(answer.status, 401);
}

#[actix_web::test]
async fn an_unknown_entry_is_not_found() {
    let bench = Bench::start();
    let token = bench.token(&[]).await;
    for id in ["nothing", "Slack", "slack%2f", "..%2fslack"] {
        let answer = bench.get(&token, &format!("{LIST}/{id}")).await;
        assert_eq!(answer.problem(), (404, "catalog_item_not_found".to_owned()), "{id}");
    }
}
