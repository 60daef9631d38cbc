//! The CPU-bound parts of requests, each alone, for a tool that counts instructions.
//!
//! Ids, times and randomness are the same in every run, so the counts are too, on a noisy machine as well.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use nora_access::{Authenticator, Keys};
use nora_catalog::{Catalog, Filter, Options};
use nora_kernel::address::{NetworkPolicy, Networks};
use nora_kernel::{AgentId, Clock, Digest, Entropy, SealContext, Secret, Vault as _};
use nora_provider_sdk::signature::hmac_sha256;
use nora_provider_sdk::webhook::{ChannelKeys, HandshakeMethod, InboundHeaders, InboundRequest, Received};
use nora_provider_sdk::{ManifestError, Provider};
use nora_testkit::samples::workspace;
use nora_testkit::{InMemory, ManualClock, SequentialBytes, SequentialIds};
use nora_vault_ring::{Keyring, RingDigest, RingVault};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::cli::KernelArguments;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kernel {
    /// A remembered API key is checked
    ApiKey,
    /// A token is sealed under an agent's key
    VaultSeal,
    /// It is opened again
    VaultOpen,
    /// A request to connect is split and checked against its schema
    SchemaValidation,
    /// The catalog is searched for a word
    CatalogFilter,
    /// A webhook of 1 KiB is verified
    Signature,
    /// The manifests of all providers are parsed and checked, and the catalog is built of them
    CatalogBuild,
}

/// Runs a kernel. Two runs with different numbers of times differ by the kernel alone.
pub(crate) fn run(arguments: &KernelArguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().context("no runtime was started")?;
    let ring = Ring::new()?;
    let times = arguments.times;
    match arguments.name {
        Kernel::ApiKey => runtime.block_on(api_key(&ring, times)),
        Kernel::VaultSeal => runtime.block_on(vault_seal(&ring, times)),
        Kernel::VaultOpen => runtime.block_on(vault_open(&ring, times)),
        Kernel::SchemaValidation => schema_validation(&ring, times),
        Kernel::CatalogFilter => catalog_filter(&ring, times),
        Kernel::Signature => signature(&ring, times),
        Kernel::CatalogBuild => catalog_build(&ring, times),
    }
}

/// The product's cryptography over a keyring of its own.
struct Ring {
    vault: RingVault,
    digest: Arc<dyn Digest>,
    entropy: Arc<dyn Entropy>,
}

impl Ring {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("no folder can be made")?;
        let entropy: Arc<dyn Entropy> = Arc::new(SequentialBytes::new());
        let keyring = Keyring::generate(&folder.path().join("keyring"), &*entropy, ManualClock::new().now());
        let keyring = Arc::new(keyring.context("no keyring can be made")?);
        let digest = Arc::new(RingDigest::new(&keyring));
        Ok(Self { vault: RingVault::new(keyring, Arc::clone(&entropy)), digest, entropy })
    }

    fn catalog(&self) -> Result<Catalog> {
        self.catalog_of(nora_providers_standard::all().context("a standard manifest is refused")?)
    }

    fn catalog_of(&self, providers: Vec<Arc<dyn Provider>>) -> Result<Catalog> {
        let policy = NetworkPolicy::third_parties(Networks::default());
        let options = Options { disabled: BTreeSet::new(), policy };
        Catalog::build(providers, &options, Arc::clone(&self.digest)).context("the catalog is refused")
    }
}

async fn api_key(ring: &Ring, times: u32) -> Result<()> {
    let clock = ManualClock::new();
    let store = Arc::new(InMemory::new(clock.clone()));
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let authenticator = Authenticator::new(store.clone(), None, Arc::clone(&clock), Arc::clone(&ring.digest));
    let authenticator = Arc::new(authenticator);
    let keys = Keys {
        store,
        authenticator: Arc::clone(&authenticator),
        clock,
        ids: Arc::new(SequentialIds::new()),
        entropy: Arc::clone(&ring.entropy),
        digest: Arc::clone(&ring.digest),
    };
    let shown = Mutex::new(String::new());
    let show = |key: &Secret| {
        key.expose().clone_into(&mut shown.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(())
    };
    keys.bootstrap(show).await.context("no key can be made")?;
    let key = shown.into_inner().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..times {
        black_box(authenticator.authenticate(black_box(&key)).await.context("the key is refused")?);
    }
    Ok(())
}

fn place() -> SealContext {
    SealContext {
        table: "integrations",
        column: "secrets",
        workspace: workspace(),
        agent: AgentId::from_uuid(Uuid::from_u128(1)),
        row: Uuid::from_u128(2),
        version: 1,
    }
}

async fn vault_seal(ring: &Ring, times: u32) -> Result<()> {
    let place = place();
    let key = ring.vault.new_agent_key(&place.workspace, place.agent).await.context("no key can be made")?;
    for _ in 0..times {
        black_box(ring.vault.seal(&key, &place, black_box(TOKEN.as_bytes())).await.context("nothing is sealed")?);
    }
    Ok(())
}

async fn vault_open(ring: &Ring, times: u32) -> Result<()> {
    let place = place();
    let key = ring.vault.new_agent_key(&place.workspace, place.agent).await.context("no key can be made")?;
    let sealed = ring.vault.seal(&key, &place, TOKEN.as_bytes()).await.context("nothing is sealed")?;
    for _ in 0..times {
        black_box(ring.vault.open(&key, &place, black_box(&sealed)).await.context("nothing is opened")?);
    }
    Ok(())
}

const TOKEN: &str = "xoxb-000000000000-0000000000000-abcdefghijklmnopqrstuvwx";

fn schema_validation(ring: &Ring, times: u32) -> Result<()> {
    let catalog = ring.catalog()?;
    let entry = catalog.entry("github").context("GitHub is gone")?;
    let Value::Object(config) = json!({ "org": "octo-org", "repo": "octo-org/hello-world" }) else {
        anyhow::bail!("an object is an object");
    };
    for _ in 0..times {
        let config: Map<String, Value> = black_box(&config).clone();
        let parsed = entry.parse(Some(Secret::new(TOKEN.to_owned())), config, &[]);
        black_box(parsed.ok().context("the request is refused")?);
    }
    Ok(())
}

fn catalog_filter(ring: &Ring, times: u32) -> Result<()> {
    let catalog = ring.catalog()?;
    let filter = Filter { text: Some("issues"), ..Filter::default() };
    for _ in 0..times {
        black_box(catalog.list(black_box(&filter)));
    }
    Ok(())
}

fn signature(ring: &Ring, times: u32) -> Result<()> {
    let catalog = ring.catalog()?;
    let scheme = catalog.entry("github").and_then(|entry| entry.manifest().webhook()).context("GitHub sends none")?;
    let body = format!(r#"{{"text":"{:x<1000}"}}"#, "");
    let signature = format!("sha256={}", hex::encode(hmac_sha256(TOKEN.as_bytes(), body.as_bytes())));
    let headers: InboundHeaders<'_> = [
        ("content-type", "application/json"),
        ("x-github-event", "issues"),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("x-hub-signature-256", signature.as_str()),
    ]
    .map(|(name, value)| (name, value.as_bytes()))
    .into_iter()
    .collect();
    let request =
        InboundRequest { method: HandshakeMethod::Post, url: "", query: "", headers: &headers, body: body.as_bytes() };
    let secret = Secret::new(TOKEN.to_owned());
    let secrets = [&secret];
    let keys = ChannelKeys { secrets: &secrets, verify_token: None, unverified: false, awaiting_handshake: false };
    let now = ManualClock::new().now();
    for _ in 0..times {
        let received = scheme.receive(black_box(&request), &keys, now);
        anyhow::ensure!(matches!(received, Received::Event(_)), "the webhook is refused");
        black_box(received);
    }
    Ok(())
}

/// What a start of the server does before it listens.
fn catalog_build(ring: &Ring, times: u32) -> Result<()> {
    for _ in 0..times {
        black_box(ring.catalog_of(every_provider().context("a manifest is refused")?)?);
    }
    Ok(())
}

fn every_provider() -> Result<Vec<Arc<dyn Provider>>, ManifestError> {
    let mut providers = nora_providers_standard::all()?;
    providers.extend(nora_provider_aws::providers()?);
    providers.extend(nora_provider_google::providers()?);
    providers.push(nora_provider_kubernetes::provider()?);
    providers.push(nora_provider_mongodb::provider()?);
    providers.push(nora_provider_postgresql::provider()?);
    providers.push(nora_provider_redis::provider()?);
    providers.push(nora_provider_smtp::provider()?);
    Ok(providers)
}
