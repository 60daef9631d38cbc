//! Kubeconfigs that are not taken.

use nora_provider_sdk::{Connection, FieldProblem, Secret, SecretMap, Verdict};
use nora_provider_testkit::LoopbackContext;
use serde_json::{Map, json};

const GOOD: &str = "\
apiVersion: v1
kind: Config
current-context: main
contexts: [{name: main, context: {cluster: main, user: main}}]
clusters: [{name: main, cluster: {server: 'https://kubernetes.example'}}, {name: other, cluster: {}}]
users: [{name: main, user: {token: canary-token}}, {name: other, user: {token: canary-token}}]
";

fn problems(kubeconfig: &str, context: Option<&str>) -> Vec<FieldProblem> {
    let provider = nora_provider_kubernetes::provider().unwrap();
    let config = context.map(|name| ("context".to_owned(), json!(name))).into_iter().collect::<Map<_, _>>();
    let secrets: SecretMap =
        [("kubeconfig".parse().unwrap(), Secret::new(kubeconfig.to_owned()))].into_iter().collect();
    provider.check(&Connection::new(provider.manifest(), &config, &secrets))
}

/// The only problem there is, as its field and its words.
fn problem(kubeconfig: &str, context: Option<&str>) -> (String, String) {
    let found = problems(kubeconfig, context);
    let [problem] = found.as_slice() else { panic!("{found:?} in {kubeconfig}") };
    (problem.field.to_string(), problem.detail.clone())
}

#[test]
fn a_kubeconfig_that_holds_everything_is_taken() {
    assert_eq!(problems(GOOD, None), []);
    assert_eq!(problems(GOOD, Some("main")), []);
    let null = GOOD.replace("token: canary-token}}]", "token: canary-token, exec: null}}]");
    assert_eq!(problems(&null, None), []);
}

#[test]
fn programs_and_files_are_refused_in_every_user_and_cluster() {
    for (key, expected) in [
        ("exec: {command: sh}", "program"),
        ("exec: {}", "program"),
        ("auth-provider: {name: gcp}", "program"),
        ("Exec: {command: sh}", "program"),
        ("\"\\x65xec\": {command: sh}", "program"),
        ("tokenFile: /var/run/token", "files"),
        ("tokenfile: /var/run/token", "files"),
        ("client-certificate: a.pem", "files"),
        ("client-key: a.pem", "files"),
    ] {
        let text = GOOD.replace("{name: other, user: {", &format!("{{name: other, user: {{{key}, "));
        let (field, detail) = problem(&text, None);
        assert_eq!(field, "kubeconfig");
        assert!(detail.contains(expected), "{key}: {detail}");
    }
    let text = GOOD.replace("{name: other, cluster: {", "{name: other, cluster: {certificate-authority: /etc/ca.pem");
    assert!(problem(&text, None).1.contains("files"));
}

#[test]
fn a_context_must_be_there_and_lead_somewhere() {
    let absent = ("context".to_owned(), "is not a context of the kubeconfig".to_owned());
    assert_eq!(problem(GOOD, Some("elsewhere")), absent);
    for (from, to, expected) in [
        ("current-context: main\n", "", "no `current-context`"),
        ("current-context: main", "current-context: ''", "no `current-context`"),
        ("current-context: main", "current-context: elsewhere", "not one of its contexts"),
        ("user: main}}", "user: elsewhere}}", "no cluster or user"),
        ("{cluster: main, user", "{user", "no cluster or user"),
        ("{name: other, user", "{name: main, user", "of one name"),
        ("https://", "http://", "https URL"),
        ("'https://kubernetes.example'", "''", "https URL"),
        ("kind: Config", "kind: Pod", "kind: Config"),
        ("token: canary-token}}, ", "token: \"canary\\r\\ntoken\"}}, ", "header"),
        ("current-context: main", "current-context: &a main", "anchors"),
    ] {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD, "{from}");
        let (field, detail) = problem(&text, None);
        assert_eq!(field, "kubeconfig");
        assert!(detail.contains(expected), "{to}: {detail}");
        assert!(!detail.contains("canary"), "{detail}");
    }
}

#[tokio::test]
async fn what_is_refused_is_not_sent_either() {
    let provider = nora_provider_kubernetes::provider().unwrap();
    let context = LoopbackContext::failing(nora_provider_sdk::NetworkError::Dns);
    for text in [GOOD.replace("https:", "http:"), GOOD.replace("{token: canary-token}}]", "{exec: {command: sh}}}]")] {
        let secrets: SecretMap = [("kubeconfig".parse().unwrap(), Secret::new(text))].into_iter().collect();
        let config = Map::new();
        let outcome = provider.test(&Connection::new(provider.manifest(), &config, &secrets), &context).await;
        assert_eq!(outcome.verdict, Verdict::Unverifiable);
        assert!(outcome.advice.unwrap().starts_with("Nothing was sent: “Kubeconfig” must"));
    }
    assert_eq!(context.dialed(), []);
}
