//! What came in by a channel.

use serde_json::{Value, json};

use crate::support::{Bench, request};
use crate::webhooks::{BODY, channel, open};

async fn posted(bench: &Bench, url: &str, count: usize) {
    for number in 0..count {
        let body = format!(r#"{{"number":{number}}}"#);
        let request = request("POST", url)
            .insert_header(("Authorization", "Bearer CANARY"))
            .insert_header(("Cookie", "CANARY"))
            .insert_header(("X-Event", "kept"));
        assert_eq!(bench.send(request.set_payload(body)).await.status, 200);
    }
}

#[actix_web::test]
async fn events_are_listed_newest_first_in_pages() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (path, url) = channel(&bench, &admin, &open()).await;
    posted(&bench, &url, 5).await;
    let list = format!("{path}/events");
    let all = bench.get(&admin, &list).await.json();
    assert_eq!(all.as_array().unwrap().len(), 5);
    let event = &all[0];
    let shown = json!([event["verdict"], event["state"], event["attempts"], event["last_error"], event["replay_of"]]);
    assert_eq!(shown, json!(["unverified", "pending", 0, null, null]));

    let mut seen: Vec<Value> = Vec::new();
    let mut next = Some(format!("{list}?state=pending&limit=2"));
    while let Some(page) = next {
        let answer = bench.get(&admin, &page).await;
        seen.extend(answer.json().as_array().unwrap().clone());
        next = answer.header("link").map(|link| link.split(['<', '>']).nth(1).unwrap().to_owned());
    }
    assert_eq!(json!(seen), all);
    assert_eq!(bench.get(&admin, &format!("{list}?state=dead")).await.json(), json!([]));
    assert_eq!(bench.get(&admin, &format!("{list}?state=lost")).await.problem(), (400, "query_invalid".to_owned()));
}

#[actix_web::test]
async fn an_event_shows_what_was_received_but_no_secret() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (path, url) = channel(&bench, &admin, &open()).await;
    posted(&bench, &url, 1).await;
    let listed = bench.get(&admin, &format!("{path}/events")).await.json()[0].clone();
    let detail = bench.get(&admin, &format!("{path}/events/{}", listed["id"].as_str().unwrap())).await;
    assert!(!detail.text().contains("CANARY"), "{detail:?}");
    let detail = detail.json();
    assert_eq!(detail["body"], "eyJudW1iZXIiOjB9");
    assert!(detail["headers"].as_array().unwrap().contains(&json!({ "name": "x-event", "value": "kept" })));
    assert_eq!((&detail["id"], &detail["received_at"]), (&listed["id"], &listed["received_at"]));
}

#[actix_web::test]
async fn events_are_replayed_one_by_one_and_in_ranges() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let (path, url) = channel(&bench, &admin, &open()).await;
    posted(&bench, &url, 3).await;
    let listed = bench.get(&admin, &format!("{path}/events")).await.json();
    let id = listed[0]["id"].as_str().unwrap();
    let one = bench.post(&admin, &format!("{path}/events/{id}/replay"), &json!({})).await;
    assert_eq!((one.status, one.json()), (202, json!({ "count": 1 })));
    let event = bench.get(&admin, &format!("{path}/events/{id}")).await.json();
    assert_eq!((&event["state"], &event["replay_of"]), (&json!("pending"), &json!(id)));

    let replays = format!("{path}/replays");
    let range = |body: Value| {
        let (bench, admin, replays) = (&bench, &admin, &replays);
        async move {
            let answer = bench.post(admin, replays, &body).await;
            (answer.status, answer.json()["count"].clone())
        }
    };
    assert_eq!(range(json!({})).await, (202, json!(3)));
    assert_eq!(range(json!({ "state": "dead" })).await, (202, json!(0)));
    assert_eq!(range(json!({ "to": "2020-01-01T00:00:00Z" })).await, (202, json!(0)));
    assert_eq!(range(json!({ "from": "2020-01-01T00:00:00Z", "state": "pending" })).await, (202, json!(3)));
    assert_eq!(range(json!({ "from": "yesterday" })).await.0, 400);
    let unknown =
        bench.post(&admin, &format!("{path}/events/{}/replay", path.rsplit_once('/').unwrap().1), &json!({})).await;
    assert_eq!(unknown.problem(), (404, "event_not_found".to_owned()));
    let trail = bench.get(&admin, "/api/audit").await.text();
    assert!(trail.contains("events.replayed"));
    assert!(!trail.contains(BODY));
}
