//! An agent with channels, and a runtime that does what a test says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nora_agents::ports::AgentStore;
use nora_agents::{RuntimeSecrets, TARGET_COLUMN, TARGET_TABLE};
use nora_catalog::{Catalog, Options};
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_kernel::audit::Actor;
use nora_kernel::{
    AgentId, Caller, ChannelId, Clock as _, EventId, IdSource as _, PageRequest, RequestId, Scope, Scopes, SealContext,
    Secret, Vault as _,
};
use nora_testkit::{
    DirectIntake, InMemory, ManualClock, PlainDigest, PlainVault, Samples, SequentialBytes, SequentialIds,
};
use nora_webhooks::ports::{
    DeliveryClaim, DeliveryError, DeliveryFailureClass, DeliveryStore, EventFilter, Message, Recipient, RuntimeDelivery,
};
use nora_webhooks::{
    Channel, ChannelCache, ChannelLookup, ChannelTypes, Channels, CreateChannel, Deliverer, DeliveryStep, Event,
    HandshakeMethod, Inbound, InboundHeaders, PublicUrl, Receipt, Receiver, Verification, WebhookLimiter,
};
use serde_json::json;

pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// A body, and its HMAC-SHA256 under `SECRET`, made with Python's `hmac`.
pub(crate) const BODY: &str = r#"{"event":"push"}"#;
pub(crate) const SECRET: &str = "webhook-secret-of-24-random-bytes";
pub(crate) const OTHER_SECRET: &str = "another-secret-of-24-random-bytes";
pub(crate) const SIGNATURE: &str = "cd81a54d13abe04b74aadc66a85bb6260e25bc8ddd590910452638e94e579534";

/// What a runtime got, and what it says to the next events.
#[derive(Default)]
pub(crate) struct Runtime {
    got: Mutex<Vec<Message>>,
    failure: Mutex<Option<DeliveryError>>,
}

impl Runtime {
    pub(crate) fn fail(&self, class: DeliveryFailureClass, retry_after: Option<Duration>) {
        *self.failure.lock().unwrap() = Some(DeliveryError { class, retry_after });
    }

    pub(crate) fn recover(&self) {
        *self.failure.lock().unwrap() = None;
    }

    pub(crate) fn got(&self) -> Vec<Message> {
        self.got.lock().unwrap().clone()
    }

    pub(crate) fn contents(&self) -> Vec<String> {
        self.got().into_iter().map(|message| message.content).collect()
    }
}

#[async_trait]
impl RuntimeDelivery for Runtime {
    async fn deliver(&self, recipient: &Recipient, message: &Message) -> Result<(), DeliveryError> {
        assert_eq!(recipient.token.as_ref().map(Secret::expose), Some("runtime-token"));
        let failure = *self.failure.lock().unwrap();
        if let Some(error) = failure {
            return Err(error);
        }
        self.got.lock().unwrap().push(message.clone());
        Ok(())
    }
}

/// An agent, and everything webhooks go through.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) memory: Arc<InMemory>,
    pub(crate) channels: Channels,
    pub(crate) receiver: Receiver,
    pub(crate) deliverer: Deliverer,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) agent: AgentId,
    caller: Caller,
}

impl World {
    pub(crate) async fn start() -> Self {
        let clock = ManualClock::new();
        let memory = Arc::new(InMemory::new(clock.clone()));
        let (vault, ids) = (Arc::new(PlainVault::new()), SequentialIds::new());
        let agent = register(&memory, &vault, &clock, &ids).await;
        let runtime = Arc::new(Runtime::default());
        let lookup = lookup(&memory, &vault, &clock, &ids);
        let shared = || (Arc::new(ids.clone()), Arc::new(clock.clone()));
        let (receiver_ids, receiver_clock) = shared();
        let receiver = Receiver {
            lookup: lookup.clone(),
            store: memory.clone(),
            intake: Arc::new(DirectIntake(memory.clone())),
            limiter: Arc::new(WebhookLimiter::new(0)),
            vault: vault.clone(),
            digest: Arc::new(PlainDigest),
            ids: receiver_ids,
            clock: receiver_clock,
        };
        let deliverer = Deliverer {
            store: memory.clone(),
            lookup: lookup.clone(),
            runtimes: runtime.clone(),
            vault: vault.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SequentialBytes::new()),
        };
        let (channel_ids, channel_clock) = shared();
        let channels = Channels {
            types: lookup.types.clone(),
            store: memory.clone(),
            events: memory.clone(),
            cache: lookup.cache.clone(),
            vault,
            url: lookup.url.clone(),
            ids: channel_ids,
            clock: channel_clock,
        };
        let caller = Caller {
            actor: Actor::System,
            workspace: nora_testkit::samples::workspace(),
            scopes: Scopes::NONE.with(Scope::Admin),
            request: RequestId::from_uuid(ids.next()),
        };
        Self { clock, memory, channels, receiver, deliverer, runtime, agent, caller }
    }

    pub(crate) const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// A channel that verifies nothing, or one with `SECRET`.
    pub(crate) async fn channel(&self, keyed: bool) -> Channel {
        let config = if keyed { json!({ "signing_secret": SECRET }) } else { json!({}) };
        let request = CreateChannel {
            agent: self.agent,
            id: None,
            kind: Some("webhook".to_owned()),
            name: None,
            config: config.as_object().unwrap().clone(),
            verification: (!keyed).then_some(Verification::None),
            idempotency: None,
        };
        self.channels.create(&self.caller, request).await.unwrap()
    }

    /// Posts a body with a signature, as a third party would.
    pub(crate) async fn post(&self, channel: ChannelId, body: &str, signature: &str) -> Receipt {
        let found = self.receiver.find(channel).await.unwrap();
        let headers = [("x-webhook-signature", signature.as_bytes())].into_iter().collect::<InboundHeaders<'_>>();
        let body = body.to_owned().into();
        let inbound = Inbound { method: HandshakeMethod::Post, query: "", headers: &headers, body };
        self.receiver.receive(found.as_deref(), inbound).await.unwrap()
    }

    pub(crate) async fn claims(&self) -> Vec<DeliveryClaim> {
        self.memory.claim(100, 100, &[], LEASE, self.clock.now()).await.unwrap()
    }

    /// Claims whatever is due, once, and runs it.
    pub(crate) async fn round(&self) -> Vec<DeliveryStep> {
        let mut steps = Vec::new();
        for claim in self.claims().await {
            steps.push(self.deliverer.run(&claim).await.unwrap());
        }
        steps
    }

    /// A channel's events, oldest first.
    pub(crate) async fn events(&self, channel: ChannelId) -> Vec<Event> {
        let (filter, page) = (EventFilter::default(), PageRequest::default());
        let page = self.channels.list_events(&self.caller, self.agent, channel, filter, page).await.unwrap();
        page.items.into_iter().rev().collect()
    }

    pub(crate) async fn replay(&self, channel: ChannelId, event: EventId) {
        self.channels.replay(&self.caller, self.agent, channel, event).await.unwrap();
    }
}

/// A `nora` agent whose runtime token opens.
async fn register(memory: &Arc<InMemory>, vault: &PlainVault, clock: &ManualClock, ids: &SequentialIds) -> AgentId {
    let samples = Samples { ids: ids.clone(), clock: clock.clone() };
    let mut stored = samples.agent();
    let (id, workspace) = (stored.agent.id, stored.agent.workspace.clone());
    stored.key = vault.new_agent_key(&workspace, id).await.unwrap();
    let context = SealContext {
        table: TARGET_TABLE,
        column: TARGET_COLUMN,
        workspace,
        agent: id,
        row: stored.target.id.as_uuid(),
        version: 1,
    };
    let secrets = RuntimeSecrets { token: Some(Secret::new("runtime-token".to_owned())), ..RuntimeSecrets::default() };
    stored.target.secrets = secrets.seal(vault, &stored.key, &context).await.unwrap();
    AgentStore::insert(memory.as_ref(), &stored, &samples.line(), None).await.unwrap();
    id
}

fn lookup(memory: &Arc<InMemory>, vault: &Arc<PlainVault>, clock: &ManualClock, ids: &SequentialIds) -> ChannelLookup {
    let options =
        Options { disabled: std::iter::empty().collect(), policy: NetworkPolicy::third_parties(Networks::default()) };
    let catalog = Catalog::build(Vec::new(), &options, Arc::new(PlainDigest)).unwrap();
    ChannelLookup {
        types: Arc::new(ChannelTypes::of(&catalog)),
        store: memory.clone(),
        cache: Arc::new(ChannelCache::default()),
        vault: vault.clone(),
        url: PublicUrl::new("https://nora.example"),
        ids: Arc::new(ids.clone()),
        clock: Arc::new(clock.clone()),
    }
}
