//! An agent's sync.

use std::time::Duration;

use nora_integrations::ports::{Completion, Failure, FailureClass, SyncStore as _, Variable, VariableState};
use nora_kernel::Clock as _;
use serde_json::{Value, json};

use crate::support::Bench;

const LEASE: Duration = Duration::from_secs(15);

/// Claims the one target there is and says how its push ended.
async fn push(bench: &Bench, failure: Option<FailureClass>) {
    let now = bench.clock.now();
    let claim = bench.memory.claim(10, LEASE, now).await.unwrap().remove(0);
    let line = bench.line_of(&claim.workspace);
    let snapshot = bench.memory.snapshot(&claim, &line).await.unwrap().unwrap();
    if let Some(class) = failure {
        let failure = Failure { class, at: now, next_attempt_at: Some(now.after(Duration::from_secs(1))) };
        bench.memory.fail(&claim, &failure, Some(snapshot.generation)).await.unwrap();
        return;
    }
    let variable = |name: &str, state, reason| Variable { name: name.parse().unwrap(), state, reason };
    let variables = vec![
        variable("SLACK_BOT_TOKEN", VariableState::Live, None),
        variable("SLACK_CHANNEL", VariableState::Unsupported, Some("It takes no such variable.".to_owned())),
    ];
    let generation = snapshot.generation;
    let completion = Completion { generation, variables, at: now, next_check_at: now.after(LEASE) };
    bench.memory.complete(&claim, &completion, &line).await.unwrap();
}

#[actix_web::test]
async fn a_sync_is_pending_then_failing_then_in_sync() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    let integration = bench.slack(&admin, &agent).await;
    let sync = format!("{agent}/sync");

    let pending = bench.get(&admin, &sync).await.json();
    assert_eq!(pending["state"], "pending");
    assert_eq!((&pending["applied_generation"], &pending["last_synced_at"]), (&json!(0), &Value::Null));
    assert_eq!(pending["last_error"], Value::Null);
    let deployment = &pending["deployment"];
    assert_eq!((&deployment["state"], &deployment["redeploy_required"]), (&json!("in_sync"), &json!(false)));
    assert_eq!((&deployment["applied_digest"], &deployment["last_error"]), (&Value::Null, &Value::Null));
    assert_eq!(pending["variables"], json!([]), "nothing is live that was not confirmed");

    push(&bench, Some(FailureClass::Timeout)).await;
    let failing = bench.get(&admin, &sync).await.json();
    assert_eq!((&failing["state"], &failing["last_error"]["code"]), (&json!("failing"), &json!("timeout")));
    assert!(failing["next_attempt_at"].is_string() && failing["last_error"]["detail"].is_string());
    assert_eq!(failing["variables"][0]["state"], "failed");

    assert_eq!(bench.post(&admin, &sync, &json!({})).await.json(), json!({ "accepted": true }));
    push(&bench, None).await;
    let done = bench.get(&admin, &sync).await.json();
    assert_eq!((&done["state"], &done["next_attempt_at"]), (&json!("in_sync"), &Value::Null));
    assert_eq!(done["desired_generation"], done["applied_generation"]);
    assert_eq!(done["variables"][0], json!({ "name": "SLACK_BOT_TOKEN", "state": "live" }));
    assert_eq!(done["variables"][1]["reason"], "It takes no such variable.");

    assert_eq!(bench.delete(&admin, &integration).await.status, 200);
    let removed = bench.get(&admin, &sync).await.json()["removed"][0].clone();
    assert_eq!((&removed["purge"], &removed["confirmed_at"]), (&json!("pending"), &Value::Null));
    assert_eq!(removed["names"], json!(["SLACK_BOT_TOKEN", "SLACK_CHANNEL"]));
    push(&bench, None).await;
    let removed = bench.get(&admin, &sync).await.json()["removed"][0].clone();
    assert_eq!((&removed["purge"], removed["confirmed_at"].is_string()), (&json!("confirmed"), true));
}

#[actix_web::test]
async fn a_sync_is_asked_for_and_answered_202() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let agent = bench.agent(&admin).await;
    push(&bench, None).await;
    let answer = bench.post(&admin, &format!("{agent}/sync"), &json!({})).await;
    assert_eq!((answer.status, answer.json()), (202, json!({ "accepted": true })));
    assert_eq!(bench.get(&admin, &format!("{agent}/sync")).await.json()["state"], "pending");
    let nobody = bench.post(&admin, "/api/agents/x/sync", &json!({})).await;
    assert_eq!(nobody.problem(), (404, "agent_not_found".to_owned()));
}
