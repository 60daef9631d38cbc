//! The audit trail.

use serde_json::{Value, json};

use crate::support::Bench;

#[actix_web::test]
async fn changes_and_openings_leave_lines() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let integration = bench.slack(&admin, &agent).await;
    let tested = bench.post(&admin, &format!("{integration}/test"), &json!({})).await;
    let lines = bench.get(&admin, "/api/audit").await.json();
    let newest = &lines[0];
    assert_eq!((&newest["action"], &newest["purpose"]), (&json!("credentials.opened"), &json!("test")));
    assert_eq!(newest["request_id"].as_str(), tested.header("x-request-id"));
    assert_eq!((&newest["actor"]["kind"], &newest["outcome"]), (&json!("api_key"), &json!("success")));
    assert_eq!(newest["resource"]["kind"], "integration");
    assert!(integration.ends_with(newest["resource"]["id"].as_str().unwrap()));
    assert!(agent.ends_with(newest["agent_id"].as_str().unwrap()));
    let actions: Vec<&Value> = lines.as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert!(actions.contains(&&json!("agent.created")) && actions.contains(&&json!("integration.created")));
    let system = lines.as_array().unwrap().last().unwrap();
    assert_eq!((&system["actor"]["kind"], &system["request_id"]), (&json!("system"), &Value::Null));
    assert!(system.get("agent_id").is_none() && system.get("purpose").is_none());
}
