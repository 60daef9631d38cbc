//! A gateway knows this service by a device key, which is made once.

use nora_agents::ports::TargetUpdate;
use nora_agents::{
    Agent, ChangeAgent, ChangeAgentError, CreateAgentError, FindDeviceError, GatewayChange, GatewayInput, Patch,
    RuntimeChange, RuntimeKind, TargetSecretsError,
};
use nora_kernel::{Caller, OpenError};

use crate::support::{
    Directory, Health, admin, caller, device_id, gateway, openclaw, public, request, runtime, secret, seed,
};

const URL: &str = "ws://10.0.0.1:18789";

fn set(gateway: GatewayChange) -> ChangeAgent {
    ChangeAgent { gateway: Patch::Set(gateway), ..ChangeAgent::default() }
}

impl Directory {
    async fn openclaw(&self) -> Agent {
        self.create(openclaw(URL)).await.unwrap()
    }

    /// A sidecar with a token, and a gateway beside it.
    async fn sidecar(&self) -> Agent {
        let runtime = runtime(RuntimeKind::Sidecar, Some("http://10.0.0.1:9090"), Some("hush"));
        self.create(request(runtime, Some(gateway(URL, "shared")))).await.unwrap()
    }
}

fn some(texts: [&str; 3]) -> [Option<String>; 3] {
    texts.map(|text| Some(text.to_owned()))
}

#[tokio::test]
async fn a_new_device_key_is_made_for_a_gateway() {
    let directory = Directory::new();
    let agent = directory.openclaw().await;
    let gateway = agent.gateway.unwrap();
    assert_eq!((gateway.url.to_string(), gateway.device_id), (format!("{URL}/"), device_id(&seed(0))));
    assert_eq!(directory.exposed(agent.id).await, [None, Some("shared".to_owned()), Some(seed(0))]);
    let target = directory.store.stored(agent.id).target;
    assert_eq!((target.device_id, target.gateway), (Some(device_id(&seed(0))), Some(gateway.url)));
    let other = directory.create(openclaw("ws://10.0.0.2:18789")).await.unwrap();
    assert_eq!(other.gateway.unwrap().device_id, device_id(&seed(1)), "each agent has its own");
}

#[tokio::test]
async fn a_device_key_may_be_brought_along() {
    let directory = Directory::new();
    let with_key = |seed: &str| {
        let gateway = GatewayInput { device_key: Some(secret(seed)), ..gateway(URL, "shared") };
        request(runtime(RuntimeKind::Openclaw, None, None), Some(gateway))
    };
    let agent = directory.create(with_key(&seed(0xab).to_uppercase())).await.unwrap();
    assert_eq!(agent.gateway.unwrap().device_id, device_id(&seed(0xab)));
    assert_eq!(directory.exposed(agent.id).await[2], Some(seed(0xab)), "in lower case");
    for refused in ["", "ab", &"g".repeat(64), &seed(1)[1..]] {
        let error = directory.create(with_key(refused)).await.unwrap_err();
        assert!(matches!(error, CreateAgentError::DeviceKeyInvalid), "{refused}: {error}");
    }
}

#[tokio::test]
async fn a_new_token_keeps_the_device_key() {
    let directory = Directory::new();
    let agent = directory.sidecar().await;
    let change = set(GatewayChange { token: Some(secret("new")), ..GatewayChange::default() });
    let changed = directory.change(agent.id, change).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Rekey(_)));
    assert_eq!(changed.gateway, agent.gateway);
    assert_eq!(directory.exposed(agent.id).await, some(["hush", "new", &seed(0)]));
}

#[tokio::test]
async fn a_gateway_moves_together_with_its_token() {
    let directory = Directory::new();
    let agent = directory.sidecar().await;
    let moved = |token: Option<&str>| {
        let url = Some("ws://10.0.0.9:18789".to_owned());
        set(GatewayChange { url, token: token.map(secret), device_key: None })
    };
    let refused = directory.change(agent.id, moved(None)).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::TokenRequired("gateway")), "{refused}");
    assert!(directory.store.updates.lock().unwrap().is_empty());

    let changed = directory.change(agent.id, moved(Some("new"))).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Move { .. }));
    let gateway = changed.gateway.unwrap();
    assert_eq!(gateway.url.to_string(), "ws://10.0.0.9:18789/");
    assert_eq!(gateway.device_id, device_id(&seed(0)), "the operator pairs one key");
    assert_eq!(directory.exposed(agent.id).await, some(["hush", "new", &seed(0)]));
}

#[tokio::test]
async fn the_same_gateway_in_other_words_is_no_move() {
    let directory = Directory::new();
    let agent = directory.openclaw().await;
    let url = Some("WS://10.0.0.1:18789/".to_owned());
    directory.change(agent.id, set(GatewayChange { url, ..GatewayChange::default() })).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Rekey(_)));
    assert_eq!(directory.exposed(agent.id).await[1].as_deref(), Some("shared"));
}

#[tokio::test]
async fn another_device_key_is_no_move() {
    let directory = Directory::new();
    let agent = directory.openclaw().await;
    let change = set(GatewayChange { device_key: Some(secret(&seed(9))), ..GatewayChange::default() });
    let changed = directory.change(agent.id, change).await.unwrap();
    assert_eq!(changed.gateway.unwrap().device_id, device_id(&seed(9)));
    let TargetUpdate::Rekey(target) = directory.store.last_target() else { panic!("it lives where it lived") };
    assert_eq!(target.device_id, Some(device_id(&seed(9))));
    assert_eq!(directory.exposed(agent.id).await, [None, Some("shared".to_owned()), Some(seed(9))]);
}

#[tokio::test]
async fn a_gateway_that_goes_leaves_nothing_behind() {
    let directory = Directory::new();
    let agent = directory.sidecar().await;
    let removal = || ChangeAgent { gateway: Patch::Remove, ..ChangeAgent::default() };
    let changed = directory.change(agent.id, removal()).await.unwrap();
    assert_eq!(changed.gateway, None);
    let TargetUpdate::Move { to, .. } = directory.store.last_target() else { panic!("the gateway is to be emptied") };
    assert_eq!((to.gateway, to.device_id), (None, None));
    assert_eq!(directory.exposed(agent.id).await, [Some("hush".to_owned()), None, None]);

    let openclaw = directory.create(openclaw("ws://10.0.0.2:18789")).await.unwrap();
    let refused = directory.change(openclaw.id, removal()).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::Place(CreateAgentError::GatewayMissing)), "{refused}");
}

#[tokio::test]
async fn a_gateway_that_comes_brings_url_and_token() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let change = |url: Option<&str>, token: Option<&str>| {
        set(GatewayChange { url: url.map(str::to_owned), token: token.map(secret), device_key: None })
    };
    let refused = directory.change(agent.id, change(None, Some("shared"))).await.unwrap_err();
    assert_eq!(refused.to_string(), "/gateway/url is not a URL");
    let refused = directory.change(agent.id, change(Some(URL), None)).await.unwrap_err();
    assert!(matches!(refused, ChangeAgentError::TokenRequired("gateway")), "{refused}");

    directory.change(agent.id, change(Some(URL), Some("shared"))).await.unwrap();
    assert!(matches!(directory.store.last_target(), TargetUpdate::Move { .. }));
    assert_eq!(directory.exposed(agent.id).await, some(["old", "shared", &seed(0)]));
}

#[tokio::test]
async fn a_change_of_the_runtime_keeps_the_gateway() {
    let directory = Directory::new();
    let agent = directory.sidecar().await;
    let url = Patch::Set("http://10.0.0.5:9090".to_owned());
    let runtime = RuntimeChange { url, token: Some(secret("fresh")), ..RuntimeChange::default() };
    let change = ChangeAgent { runtime: Some(runtime), ..ChangeAgent::default() };
    let changed = directory.change(agent.id, change).await.unwrap();
    assert_eq!(changed.gateway, agent.gateway);
    assert_eq!(directory.exposed(agent.id).await, some(["fresh", "shared", &seed(0)]));
}

#[tokio::test]
async fn the_public_half_is_that_of_the_key_that_signs_now() {
    let directory = Directory::new();
    let agent = directory.openclaw().await;
    let shown = async |who: &Caller| directory.agents.device(who, agent.id).await;
    assert_eq!(shown(&caller("alpha")).await.unwrap(), public(&seed(0)));
    assert!(matches!(shown(&caller("beta")).await, Err(FindDeviceError::NotFound)));
    assert_eq!(shown(&admin("beta")).await.unwrap(), public(&seed(0)));

    let change = set(GatewayChange { device_key: Some(secret(&seed(9))), ..GatewayChange::default() });
    directory.change(agent.id, change).await.unwrap();
    assert_eq!(shown(&caller("alpha")).await.unwrap(), public(&seed(9)));
    directory.is(Health::Forgetful);
    let refused = shown(&caller("alpha")).await.unwrap_err();
    assert!(
        matches!(refused, FindDeviceError::Unreadable(TargetSecretsError::Open(OpenError::Unreadable))),
        "{refused}"
    );
}

#[tokio::test]
async fn without_a_gateway_there_is_no_device_key() {
    let directory = Directory::new();
    let agent = directory.nora().await;
    let refused = directory.agents.device(&caller("alpha"), agent.id).await.unwrap_err();
    assert!(matches!(refused, FindDeviceError::NoGateway), "{refused}");
}
