//! From settings to use cases: every adapter is built here and nowhere else.

pub(crate) mod webhooks;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use nora_access::{Authenticator, Keys, Trail};
use nora_agents::{AddressRules, Agents};
use nora_catalog::{Catalog, Options};
use nora_egress_reqwest::Egress;
use nora_http_api::{HttpMetrics, LIMITS, Ports, WebhookMetrics};
use nora_integrations::{Connections, Reconciler, TestLimiter};
use nora_kernel::{BoxError, Clock, Digest, Entropy, IdSource, Vault};
use nora_mcp_servers::{McpServers, Redeployer};
use nora_net_guard::{Guard, SystemResolver, Tls};
use nora_provider_sdk::Provider;
use nora_runtime_client::{RingDeviceKeys, RuntimeEvents, Runtimes};
use nora_store_postgres::{PostgresOptions, PostgresStore};
use nora_store_sqlite::SqliteStore;
use nora_vault_ring::{RingDigest, RingVault, SystemEntropy};

use crate::intake::Appenders;
use crate::settings::{Database, SecretUrl, Settings};
use crate::store::Stores;
use crate::system::{SystemClock, UuidSource};
use crate::{StartError, fail_point, jwt, keyring, providers};
use webhooks::{Shared, Webhooks};

/// Everything the process is made of.
pub(crate) struct Application {
    pub(crate) stores: Stores,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) keys: Keys,
    pub(crate) agents: Agents,
    pub(crate) connections: Connections,
    pub(crate) mcp_servers: McpServers,
    pub(crate) redeployer: Redeployer,
    pub(crate) trail: Trail,
    pub(crate) reconciler: Reconciler,
    pub(crate) webhooks: Webhooks,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdSource>,
    pub(crate) digest: Arc<dyn Digest>,
}

/// Opens the database and brings it to this binary's schema.
pub(crate) async fn open_stores(settings: &Settings) -> Result<Stores, StartError> {
    match &settings.database {
        Database::Sqlite(path) => open_sqlite(path).await,
        Database::Postgres(url) => open_postgres(url).await,
    }
}

async fn open_sqlite(path: &Path) -> Result<Stores, StartError> {
    let refused =
        |error: BoxError| StartError::because(format!("the database {} cannot be used", path.display()), error);
    let options = nora_store_sqlite::Options::new(Arc::new(SystemClock), Arc::new(UuidSource));
    let store = SqliteStore::open(path, options).await.map_err(|error| refused(error.into()))?;
    store.migrate().await.map_err(|error| refused(error.into()))?;
    Ok(Stores::of(Arc::new(store)))
}

async fn open_postgres(url: &SecretUrl) -> Result<Stores, StartError> {
    let refused = |error: BoxError| StartError::because("the database (NORA_DATABASE_URL) cannot be used", error);
    let options = PostgresOptions::new(url.0.duplicate(), tls()?.config());
    let store = PostgresStore::connect(options).await.map_err(|error| refused(error.into()))?;
    for warning in store.warnings() {
        tracing::warn!("{warning}");
    }
    store.migrate().await.map_err(|error| refused(error.into()))?;
    Ok(Stores::of(Arc::new(store)))
}

impl Application {
    /// Builds everything, and the loop that must run for webhooks to be taken. Nothing is written before the keyring is
    /// known to be the right one.
    pub(crate) async fn build(
        settings: &Settings,
        built_in: Vec<Arc<dyn Provider>>,
    ) -> Result<(Self, Appenders), StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdSource> = Arc::new(UuidSource);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let all = providers::with_directory(built_in, settings.providers_dir.as_deref())?;

        let tls = tls()?;
        let third_parties = Guard::new(settings.third_parties.clone(), Arc::new(SystemResolver), tls.clone());
        let runtimes = Guard::new(settings.runtimes.clone(), Arc::new(SystemResolver), tls);
        let tokens = jwt::verifier(settings, third_parties.clone(), Arc::clone(&clock))?;

        let loaded = keyring::load(settings)?;
        let stores = open_stores(settings).await?;
        let keyring = match loaded {
            Some(keyring) => keyring,
            None => keyring::make(settings, &stores.custody, entropy.as_ref(), clock.as_ref()).await?,
        };
        let keyring = Arc::new(keyring);
        let digest: Arc<dyn Digest> = Arc::new(RingDigest::new(&keyring));
        let vault = RingVault::new(Arc::clone(&keyring), Arc::clone(&entropy));
        keyring::verify(&vault, &stores.custody).await?;
        let vault: Arc<dyn Vault> = Arc::new(vault);
        let catalog = Arc::new(build_catalog(settings, all, Arc::clone(&digest))?);

        let no_client = |error| StartError::because("no HTTP client could be made", error);
        let egress = Egress::new(third_parties, Arc::clone(&clock)).map_err(no_client)?;
        let events = RuntimeEvents::new(runtimes.clone()).map_err(no_client)?;
        let runtimes = Runtimes::new(runtimes, Arc::clone(&digest)).map_err(no_client)?;

        let authenticator =
            Arc::new(Authenticator::new(Arc::clone(&stores.keys), tokens, Arc::clone(&clock), Arc::clone(&digest)));
        let common = Common {
            stores: &stores,
            catalog: &catalog,
            vault: &vault,
            digest: &digest,
            ids: &ids,
            clock: &clock,
            entropy: &entropy,
        };
        let (keys, agents) = (common.keys(&authenticator), common.agents(settings));
        let connections = common.connections(egress);
        let (webhooks, appenders) = Webhooks::build(settings, &stores, common.shared(events));
        let runtimes = Arc::new(runtimes);
        let mcp_servers = McpServers::new(common.mcp());
        let redeployer = Redeployer::new(common.mcp(), runtimes.clone(), Arc::clone(&entropy));
        let reconciler = common.reconciler(runtimes);
        let trail = Trail { store: Arc::clone(&stores.audit) };
        let application = Self {
            stores,
            authenticator,
            keys,
            agents,
            connections,
            mcp_servers,
            redeployer,
            trail,
            reconciler,
            webhooks,
            clock,
            ids,
            digest,
        };
        Ok((application, appenders))
    }
}

/// What most use cases are put together from.
struct Common<'a> {
    stores: &'a Stores,
    catalog: &'a Arc<Catalog>,
    vault: &'a Arc<dyn Vault>,
    digest: &'a Arc<dyn Digest>,
    ids: &'a Arc<dyn IdSource>,
    clock: &'a Arc<dyn Clock>,
    entropy: &'a Arc<dyn Entropy>,
}

impl Common<'_> {
    fn keys(&self, authenticator: &Arc<Authenticator>) -> Keys {
        Keys {
            store: Arc::clone(&self.stores.keys),
            authenticator: Arc::clone(authenticator),
            clock: Arc::clone(self.clock),
            ids: Arc::clone(self.ids),
            entropy: Arc::clone(self.entropy),
            digest: Arc::clone(self.digest),
        }
    }

    fn agents(&self, settings: &Settings) -> Agents {
        Agents {
            store: Arc::clone(&self.stores.agents),
            vault: Arc::clone(self.vault),
            device_keys: Arc::new(RingDeviceKeys),
            rules: AddressRules { policy: settings.runtimes.clone() },
            ids: Arc::clone(self.ids),
            clock: Arc::clone(self.clock),
        }
    }

    fn connections(&self, egress: Egress) -> Connections {
        Connections {
            catalog: Arc::clone(self.catalog),
            store: Arc::clone(&self.stores.integrations),
            sync: Arc::clone(&self.stores.sync),
            vault: Arc::clone(self.vault),
            contexts: Arc::new(egress),
            limiter: Arc::new(TestLimiter::default()),
            ids: Arc::clone(self.ids),
            clock: Arc::clone(self.clock),
        }
    }

    fn shared(&self, events: RuntimeEvents) -> Shared {
        Shared {
            catalog: Arc::clone(self.catalog),
            vault: Arc::clone(self.vault),
            digest: Arc::clone(self.digest),
            ids: Arc::clone(self.ids),
            clock: Arc::clone(self.clock),
            entropy: Arc::clone(self.entropy),
            runtimes: Arc::new(events),
        }
    }

    fn mcp(&self) -> nora_mcp_servers::Parts {
        nora_mcp_servers::Parts {
            catalog: Arc::clone(self.catalog),
            store: Arc::clone(&self.stores.mcp),
            redeploys: Arc::clone(&self.stores.redeploys),
            sync: Arc::clone(&self.stores.sync),
            vault: Arc::clone(self.vault),
            digest: Arc::clone(self.digest),
            ids: Arc::clone(self.ids),
            clock: Arc::clone(self.clock),
        }
    }

    fn reconciler(&self, runtimes: Arc<Runtimes>) -> Reconciler {
        Reconciler {
            catalog: Arc::clone(self.catalog),
            store: Arc::clone(&self.stores.sync),
            vault: Arc::clone(self.vault),
            runtimes: fail_point::around(runtimes),
            ids: Arc::clone(self.ids),
            clock: Arc::clone(self.clock),
            entropy: Arc::clone(self.entropy),
        }
    }
}

impl Application {
    /// Makes the agents due whose runtimes this catalog tells something else than the one before.
    pub(crate) async fn adopt_catalog(&self) -> Result<(), StartError> {
        let (catalog, shapes) = (&self.reconciler.catalog, self.stores.shapes.as_ref());
        let raised = nora_integrations::adopt_shapes(catalog, shapes, self.digest.as_ref(), self.clock.now()).await;
        let raised = raised.map_err(|error| StartError::because("the catalog could not be compared", error))?;
        if raised > 0 {
            tracing::info!(agents = raised, "providers have changed; their agents are pushed to again");
        }
        Ok(())
    }

    /// What the HTTP API is put together from.
    pub(crate) fn ports(&self, metrics: HttpMetrics, webhook_metrics: WebhookMetrics) -> Ports {
        Ports {
            authenticator: Arc::clone(&self.authenticator),
            keys: self.keys.clone(),
            trail: self.trail.clone(),
            agents: self.agents.clone(),
            connections: self.connections.clone(),
            mcp_servers: self.mcp_servers.clone(),
            channels: self.webhooks.channels.clone(),
            receiver: self.webhooks.receiver.clone(),
            idempotency: Arc::clone(&self.stores.idempotency),
            ids: Arc::clone(&self.ids),
            clock: Arc::clone(&self.clock),
            digest: Arc::clone(&self.digest),
            readiness: vec![("database", Arc::clone(&self.stores.readiness))],
            metrics,
            webhook_metrics,
            limits: LIMITS,
        }
    }
}

fn build_catalog(
    settings: &Settings,
    providers: Vec<Arc<dyn Provider>>,
    digest: Arc<dyn Digest>,
) -> Result<Catalog, StartError> {
    let options = Options { disabled: BTreeSet::new(), policy: settings.third_parties.clone() };
    Catalog::build(providers, &options, digest).map_err(|error| StartError::because("the catalog is refused", error))
}

fn tls() -> Result<Tls, StartError> {
    Tls::new(&[]).map_err(|error| StartError::because("no TLS configuration could be made", error))
}
