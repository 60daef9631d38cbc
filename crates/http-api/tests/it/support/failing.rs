//! Parts that fail.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use nora_access::ports::{AuditStore, KeyStore};
use nora_access::{ApiKey, PublicId, StoredKey};
use nora_agents::DeviceIdentity;
use nora_agents::ports::{DeviceKey, DeviceKeys};
use nora_kernel::audit::AuditLine;
use nora_kernel::{ApiKeyId, BoxError, Page, PageRequest, Reach, Readiness, Secret, Timestamp, Unavailable, Workspace};

/// How a broken part fails.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Broken {
    /// For the moment.
    Transient,
    /// For good.
    Fault,
    /// By a panic.
    Panic,
    /// By never answering.
    Silent,
}

impl Broken {
    /// The text of the cause. It belongs into the log and nowhere else.
    pub(crate) const CAUSE: &'static str = "relation \"audit\" does not exist";

    async fn fail<T>(self) -> Result<T, Unavailable> {
        match self {
            Self::Transient => Err(Unavailable::transient(Self::CAUSE)),
            Self::Fault => Err(Unavailable::fault(Self::CAUSE)),
            Self::Panic => panic!("{}", Self::CAUSE),
            Self::Silent => std::future::pending().await,
        }
    }
}

#[async_trait]
impl AuditStore for Broken {
    async fn list(&self, _: &Workspace, _: PageRequest) -> Result<Page<AuditLine>, Unavailable> {
        self.fail().await
    }

    async fn prune(&self, _: Timestamp, _: u32) -> Result<u64, Unavailable> {
        self.fail().await
    }
}

#[async_trait]
impl Readiness for Broken {
    async fn ready(&self) -> Result<(), Unavailable> {
        self.fail().await
    }
}

#[async_trait]
impl KeyStore for Broken {
    async fn insert(&self, _: &StoredKey, _: &AuditLine) -> Result<(), Unavailable> {
        self.fail().await
    }

    async fn insert_first(&self, _: &StoredKey, _: &AuditLine) -> Result<bool, Unavailable> {
        self.fail().await
    }

    async fn find_by_public_id(&self, _: &PublicId) -> Result<Option<StoredKey>, Unavailable> {
        self.fail().await
    }

    async fn find(&self, _: &Reach, _: ApiKeyId) -> Result<Option<ApiKey>, Unavailable> {
        self.fail().await
    }

    async fn list(&self, _: &Workspace, _: PageRequest) -> Result<Page<ApiKey>, Unavailable> {
        self.fail().await
    }

    async fn revoke(&self, _: &Reach, _: ApiKeyId, _: &AuditLine) -> Result<bool, Unavailable> {
        self.fail().await
    }

    async fn record_usage(&self, _: &[(ApiKeyId, Timestamp)]) -> Result<(), Unavailable> {
        self.fail().await
    }

    async fn revocation(&self) -> Option<ApiKeyId> {
        std::future::pending().await
    }
}

/// Device keys whose ids count.
#[derive(Debug, Default)]
pub(crate) struct CountingDeviceKeys(AtomicU64);

fn device_key(seed: &str) -> DeviceKey {
    let public = DeviceIdentity { device_id: format!("device-{seed}"), public_key: format!("public-{seed}") };
    DeviceKey { seed: Secret::new(seed.to_owned()), public }
}

impl DeviceKeys for CountingDeviceKeys {
    fn generate(&self) -> Result<DeviceKey, BoxError> {
        let seed = format!("{:064x}", self.0.fetch_add(1, Ordering::SeqCst));
        Ok(device_key(&seed))
    }

    fn read(&self, seed: &Secret) -> Option<DeviceKey> {
        let text = seed.expose();
        let valid = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| device_key(text))
    }
}
