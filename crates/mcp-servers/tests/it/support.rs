//! One server without its network and its disk.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use nora_agents::RuntimeSecrets;
use nora_agents::ports::StoredAgent;
use nora_catalog::{Catalog, Options};
use nora_integrations::ports::{FailureClass, NewIntegration, RuntimeAddress};
use nora_integrations::{INTEGRATION_COLUMN, INTEGRATION_TABLE};
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_kernel::audit::Actor;
use nora_kernel::{
    Caller, Clock as _, IdSource as _, ProviderId, Purpose, Reach, RequestId, Scope, Scopes, SealContext, Sealed,
    Secret, Vault as _,
};
use nora_mcp_servers::ports::{AgentServers, DeployError, Deployment, DeploymentClient, RedeployClaim};
use nora_mcp_servers::{McpServers, Parts, RedeployStep, Redeployer};
use nora_provider_sdk::manifest::ResolvedMcp;
use nora_provider_sdk::{Declarative, Provider};
use nora_testkit::samples::{named, workspace};
use nora_testkit::{InMemory, ManualClock, PlainDigest, PlainVault, Samples, SequentialBytes, Stores as _};

const MANIFESTS: [&str; 2] = [
    r#"
        id = "acme"
        name = "Acme"
        category = "testing"
        description = "Has a server."
        docs_url = "https://acme.example"
        auth_type = "token"
        fields = [{ name = "token", title = "Token", env = "ACME_TOKEN" }]
        test = { url = "https://acme.example/me", headers = { X-Key = "{token}" }, success = { json = { pointer = "/id", type = "string" } } }
        mcp = { package = "acme-mcp", version = "1.0.0", docs_url = "https://acme.example", env = { KEY = "{token}" } }
    "#,
    r#"
        id = "beta"
        name = "Beta"
        category = "testing"
        description = "Has a server on the network."
        docs_url = "https://beta.example"
        auth_type = "token"
        fields = [{ name = "token", title = "Token" }]
        test = { url = "https://beta.example/me", headers = { X-Key = "{token}" }, success = { json = { pointer = "/id", type = "string" } } }
        mcp = { url = "https://mcp.beta.example", docs_url = "https://beta.example", headers = { X-Key = "{token}" } }
    "#,
];

pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// A runtime that answers as it is told, and remembers what it was handed.
#[derive(Default)]
pub(crate) struct Runtime {
    pub(crate) answers: Mutex<VecDeque<DeployError>>,
    /// For each deployment `NAME=VALUE` for every variable and header, and `-NAME` for every server that is dropped.
    pub(crate) handed: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl DeploymentClient for Runtime {
    async fn deploy(&self, address: &RuntimeAddress, deployment: &Deployment) -> Result<(), DeployError> {
        assert_eq!(address.token.as_ref().map(Secret::expose), Some("runtime-token"));
        let mut told = Vec::new();
        for server in &deployment.servers {
            let (ResolvedMcp::Stdio { env: values, .. } | ResolvedMcp::Remote { headers: values, .. }) = &server.how;
            told.extend(values.iter().map(|value| format!("{}={}", value.name, value.value.expose())));
        }
        told.extend(deployment.dropped.iter().map(|name| format!("-{name}")));
        self.handed.lock().unwrap().push(told);
        self.answers.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }
}

pub(crate) struct World {
    pub(crate) stores: Arc<InMemory>,
    pub(crate) clock: ManualClock,
    pub(crate) samples: Samples,
    pub(crate) runtime: Arc<Runtime>,
    pub(crate) servers: McpServers,
    pub(crate) redeployer: Redeployer,
    vault: Arc<PlainVault>,
}

impl World {
    pub(crate) fn new() -> Self {
        let clock = ManualClock::new();
        let stores = Arc::new(InMemory::new(clock.clone()));
        let (samples, vault) = (Samples::at(clock.clone()), Arc::new(PlainVault::new()));
        let parse = |text| -> Arc<dyn Provider> { Arc::new(Declarative::parse("test.toml", text).unwrap()) };
        let options = Options { disabled: BTreeSet::new(), policy: NetworkPolicy::third_parties(Networks::default()) };
        let catalog = Catalog::build(MANIFESTS.map(parse), &options, Arc::new(PlainDigest)).unwrap();
        let parts = Parts {
            catalog: Arc::new(catalog),
            store: stores.mcp(),
            redeploys: stores.redeploys(),
            sync: stores.sync(),
            vault: vault.clone(),
            digest: Arc::new(PlainDigest),
            ids: Arc::new(samples.ids.clone()),
            clock: Arc::new(clock.clone()),
        };
        let runtime = Arc::new(Runtime::default());
        let redeployer = Redeployer::new(parts.clone(), runtime.clone(), Arc::new(SequentialBytes::new()));
        Self { stores, clock, samples, runtime, servers: McpServers::new(parts), redeployer, vault }
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller {
            actor: Actor::System,
            workspace: workspace(),
            scopes: Scopes::NONE.with(Scope::AgentsWrite),
            request: RequestId::from_uuid(self.samples.ids.next()),
        }
    }

    pub(crate) async fn agent(&self) -> StoredAgent {
        let mut stored = self.samples.agent();
        stored.key = self.vault.new_agent_key(&workspace(), stored.agent.id).await.unwrap();
        let secrets =
            RuntimeSecrets { token: Some(Secret::new("runtime-token".to_owned())), ..RuntimeSecrets::default() };
        let sealed = secrets.seal(self.vault.as_ref(), &stored.key, &stored.target.context()).await.unwrap();
        stored.target.secrets = sealed;
        self.stores.agents().insert(&stored, &self.samples.line(), None).await.unwrap();
        stored
    }

    /// Connects a provider, with a token that opens unless it is `broken`.
    pub(crate) async fn connect(
        &self,
        agent: &StoredAgent,
        provider: &str,
        label: &str,
        token: &str,
    ) -> NewIntegration {
        let mut new = self.samples.integration_labelled(agent, &named(label));
        new.integration.provider = named(provider);
        new.integration.config.clear();
        new.integration.secret_fields = vec![named("token")];
        let context = SealContext {
            table: INTEGRATION_TABLE,
            column: INTEGRATION_COLUMN,
            workspace: workspace(),
            agent: agent.agent.id,
            row: new.integration.id.as_uuid(),
            version: 1,
        };
        let mut plaintext = b"token\0".to_vec();
        plaintext.extend_from_slice(&u32::try_from(token.len()).unwrap().to_be_bytes());
        plaintext.extend_from_slice(token.as_bytes());
        new.secrets = Some(match token {
            "broken" => Sealed(b"nonsense".to_vec()),
            _ => self.vault.seal(&agent.key, &context, &plaintext).await.unwrap(),
        });
        self.stores.integrations().insert(&new, &self.samples.line(), None).await.unwrap();
        new
    }

    pub(crate) async fn select(&self, agent: &StoredAgent, providers: &[&str]) -> bool {
        let providers: Vec<String> = providers.iter().map(|provider| (*provider).to_owned()).collect();
        let selected = self.servers.select(&self.caller(), agent.agent.id, &providers).await.unwrap().unwrap();
        selected.redeploy_required
    }

    pub(crate) async fn request(&self, agent: &StoredAgent) {
        assert!(self.servers.request_redeploy(&self.caller(), agent.agent.id).await.unwrap());
    }

    pub(crate) async fn claim(&self) -> RedeployClaim {
        self.stores.redeploys().claim(1, LEASE, self.clock.now()).await.unwrap().remove(0)
    }

    pub(crate) async fn nothing_is_due(&self) -> bool {
        self.stores.redeploys().claim(1, LEASE, self.clock.now()).await.unwrap().is_empty()
    }

    /// Asks for a redeploy and does it.
    pub(crate) async fn redeploy(&self, agent: &StoredAgent) -> RedeployStep {
        self.request(agent).await;
        self.redeployer.run(&self.claim().await).await.unwrap()
    }

    pub(crate) async fn found(&self, agent: &StoredAgent) -> AgentServers {
        self.stores.mcp().find(&Reach::Everything, agent.agent.id).await.unwrap().unwrap()
    }

    /// What the runtime was handed last.
    pub(crate) fn handed(&self) -> Vec<String> {
        self.runtime.handed.lock().unwrap().last().cloned().unwrap_or_default()
    }

    pub(crate) fn fails_with(&self, class: FailureClass, retry_after: Option<Duration>) {
        self.runtime.answers.lock().unwrap().push_back(DeployError { class, retry_after });
    }

    /// How often credentials were opened for a deployment.
    pub(crate) async fn openings(&self) -> usize {
        let lines = self.stores.audit().list(&workspace(), nora_kernel::PageRequest::default()).await.unwrap().items;
        lines.iter().filter(|line| line.purpose == Some(Purpose::Deployment)).count()
    }
}

pub(crate) fn names(names: &[&str]) -> Vec<ProviderId> {
    names.iter().map(|name| named(name)).collect()
}
