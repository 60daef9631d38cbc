//! Lists in pages.

use nora_kernel::Scope;
use serde_json::Value;

use crate::support::{Answer, Bench};

/// The target of the link to the next page.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let target = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
    assert!(target.starts_with("/api/"), "an absolute path: {target}");
    Some(target.to_owned())
}

fn ids(answer: &Answer) -> Vec<Value> {
    answer.json().as_array().unwrap().iter().map(|item| item["id"].clone()).collect()
}

/// Follows a list to its end; every page but the last is full.
async fn walk(bench: &Bench, token: &str, first: &str, limit: usize) -> Vec<Value> {
    let (mut all, mut target) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = target {
        let page = bench.get(token, &path).await;
        assert_eq!(page.status, 200, "{page:?}");
        target = next(&page);
        let ids = ids(&page);
        assert!(ids.len() <= limit && (ids.len() == limit || target.is_none()));
        all.extend(ids);
    }
    all
}

#[actix_web::test]
async fn a_list_is_walked_page_by_page_without_loss_or_repetition() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    for _ in 0..5 {
        bench.agent(&admin).await;
        bench.token(&[Scope::AgentsRead]).await;
    }
    for list in ["/api/agents", "/api/keys", "/api/audit"] {
        let whole = ids(&bench.get(&admin, list).await);
        assert!(whole.len() >= 5, "{list}");
        for limit in [1, 2, 3, 200] {
            let walked = walk(&bench, &admin, &format!("{list}?limit={limit}"), limit).await;
            assert_eq!(walked, whole, "{list} by {limit}");
        }
        let exact = bench.get(&admin, &format!("{list}?limit={}", whole.len())).await;
        assert_eq!(next(&exact), None, "{list}: a full last page has no next one");
    }
}

#[actix_web::test]
async fn the_link_keeps_limit_and_workspace() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    for _ in 0..3 {
        bench.token_in("elsewhere", &[Scope::AgentsRead]).await;
    }
    let first = bench.get(&admin, "/api/keys?workspace=elsewhere&limit=1&other=x").await;
    let target = next(&first).unwrap();
    assert!(target.contains("workspace=elsewhere") && target.contains("limit=1") && !target.contains("other"));
    assert_eq!(walk(&bench, &admin, "/api/keys?workspace=elsewhere&limit=1", 1).await.len(), 3);
}

#[actix_web::test]
async fn fifty_is_a_page_unless_another_size_is_asked_for() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    for _ in 0..51 {
        bench.token(&[Scope::AgentsRead]).await;
    }
    assert_eq!(ids(&bench.get(&admin, "/api/keys").await).len(), 50);
    assert_eq!(ids(&bench.get(&admin, "/api/keys?limit=200").await).len(), 52);
}

#[actix_web::test]
async fn a_bad_page_is_refused() {
    let bench = Bench::start();
    let admin = bench.admin().await;
    let queries = [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=ten", "limit"),
        ("limit=1&limit=1", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=AAAA", "cursor"),
        ("cursor=a&cursor=b", "cursor"),
        ("workspace=No%20Slug", "workspace"),
    ];
    for list in ["/api/agents", "/api/keys", "/api/audit"] {
        for (query, parameter) in queries {
            let answer = bench.get(&admin, &format!("{list}?{query}")).await;
            assert_eq!(answer.problem(), (400, "query_invalid".to_owned()), "{list}?{query}");
            assert_eq!(answer.json()["errors"][0]["parameter"], parameter, "{list}?{query}");
        }
    }
}
