//! Testing a connection that is not saved: it is checked like one that will be, and nothing of it is kept.

use nora_integrations::{Candidate, ConnectError, Report, TestError};
use nora_kernel::{AgentId, Caller};
use nora_provider_sdk::{Outcome, Unreachable};
use nora_testkit::samples::named;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{World, caller, object, secret};

fn candidate(agent: AgentId, provider: &str, token: &str, config: &Value) -> Candidate {
    let token = (!token.is_empty()).then(|| secret(token));
    Candidate { agent, provider: Some(provider.to_owned()), token, config: object(config) }
}

impl World {
    async fn try_candidate(&self, candidate: Candidate) -> Result<Report, TestError> {
        let (agent, seals, lines) = (candidate.agent, self.vault.seals(), self.lines().await.len());
        let report = self.connections.test_candidate(&caller(), candidate).await;
        assert_eq!((self.vault.seals(), self.lines().await.len()), (seals, lines), "nothing is sealed or written");
        assert_eq!(self.connections.list(&caller(), agent).await.unwrap().unwrap_or_default(), []);
        report
    }
}

#[tokio::test]
async fn a_candidate_is_asked_about_as_it_is() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let config = json!({ "signing_secret": "hush", "org": "" });
    let report = world.try_candidate(candidate(agent, "github", "ghp", &config)).await.unwrap();
    assert_eq!((report.is_success(), report.message.as_str()), (true, "Connection verified successfully"));
    let shown = ["github access_token=ghp signing_secret=hush base_url=https://api.github.example"];
    assert_eq!(world.probe.shown(), shown);
    world.probe.answers(Outcome::unreachable(Unreachable::Timeout));
    assert!(!world.try_candidate(candidate(agent, "github", "ghp", &json!({}))).await.unwrap().is_success());
    assert!(world.is_quiet().await);
}

#[tokio::test]
async fn a_candidate_is_refused_like_a_connection() {
    let world = World::new().disabling(&["hub"]);
    let agent = world.synced_agent().await;
    let refusal = async |candidate| match world.try_candidate(candidate).await {
        Err(TestError::Candidate(error)) => error,
        other => panic!("{other:?}"),
    };
    let nothing = Candidate { provider: None, ..candidate(agent, "", "", &json!({})) };
    assert!(matches!(refusal(nothing).await, ConnectError::ProviderMissing));
    assert!(matches!(refusal(candidate(agent, "nope", "t", &json!({}))).await, ConnectError::ProviderUnknown));
    assert!(matches!(refusal(candidate(agent, "hub", "t", &json!({}))).await, ConnectError::ProviderDisabled));
    assert!(matches!(refusal(candidate(agent, "github", "", &json!({}))).await, ConnectError::TokenMissing));
    let ConnectError::Invalid(violations) =
        refusal(candidate(agent, "github", "t", &json!({ "base_url": "https://127.0.0.1" }))).await
    else {
        panic!("this machine is nobody's API")
    };
    assert_eq!(violations[0].pointer, "/config/base_url");
    assert_eq!(world.probe.shown(), [""; 0]);
}

#[tokio::test]
async fn a_candidate_is_for_an_agent_of_the_caller() {
    let world = World::new();
    let agent = world.synced_agent().await;
    let stranger = Caller { workspace: named("beta"), ..caller() };
    let refused = world.connections.test_candidate(&stranger, candidate(agent, "github", "t", &json!({}))).await;
    assert!(matches!(refused, Err(TestError::NotFound)), "{refused:?}");
    let nobody = AgentId::from_uuid(Uuid::from_u128(9));
    let refused = world.connections.test_candidate(&caller(), candidate(nobody, "nope", "", &json!({}))).await;
    assert!(matches!(refused, Err(TestError::NotFound)), "{refused:?}");
}
