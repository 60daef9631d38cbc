//! The types of channels there are.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use nora_catalog::{Catalog, Violation};
use nora_kernel::ChannelId;
use nora_provider_sdk::webhook::{BuiltinType, WebhookScheme};
use serde_json::{Map, Value};

use crate::ChannelType;

/// Where this installation is reached from outside: what the URLs of channels begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// The public base URL, with or without a slash at its end.
    pub fn new(base: &str) -> Self {
        Self(base.trim_end_matches('/').to_owned())
    }

    /// The URL a third party posts to.
    pub fn of_channel(&self, id: ChannelId) -> String {
        format!("{}/api/webhooks/{id}", self.0)
    }
}

/// One type of channel.
#[derive(Debug)]
pub struct TypeInfo {
    /// What it is called in requests.
    pub kind: ChannelType,
    /// What a person knows it by.
    pub name: String,
    /// The JSON Schema (draft 2020-12) of a channel's `config`.
    pub config_schema: Value,
    /// How it verifies, and everything else a client sees of its scheme.
    pub description: Value,
    source: Source,
}

/// Where the scheme of a type comes from.
enum Source {
    Provider(Arc<WebhookScheme>),
    BuiltIn(BuiltinType),
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Provider(_) => "Provider",
            Self::BuiltIn(_) => "BuiltIn",
        })
    }
}

impl TypeInfo {
    /// The scheme of a channel with this public configuration.
    pub(crate) fn scheme(&self, config: &Map<String, Value>) -> Result<Arc<WebhookScheme>, Violation> {
        match &self.source {
            Source::Provider(scheme) => Ok(Arc::clone(scheme)),
            Source::BuiltIn(kind) => kind.scheme(config).map(Arc::new).map_err(|problem| Violation {
                pointer: format!("/config/{}", problem.member),
                detail: problem.reason.to_owned(),
            }),
        }
    }
}

/// Every type of channel of this installation: the webhook schemes of its enabled providers that can be verified here,
/// and those that belong to no provider.
#[derive(Debug)]
pub struct ChannelTypes(BTreeMap<ChannelType, TypeInfo>);

impl ChannelTypes {
    /// The types of a catalog.
    pub fn of(catalog: &Catalog) -> Self {
        let provided = catalog.entries().filter(|entry| entry.is_enabled()).filter_map(|entry| {
            let manifest = entry.manifest();
            let scheme = manifest.webhook().filter(|scheme| scheme.is_supported())?;
            let kind: ChannelType = manifest.id().as_str().parse().ok()?;
            Some(TypeInfo {
                kind,
                name: manifest.name().to_owned(),
                config_schema: scheme.channel_config_schema(),
                description: scheme.description(),
                source: Source::Provider(Arc::new(scheme.clone())),
            })
        });
        let built_in = BuiltinType::ALL.into_iter().filter_map(|kind| {
            let usual = kind.scheme(&Map::new()).ok()?;
            Some(TypeInfo {
                kind: kind.id().parse().ok()?,
                name: kind.name().to_owned(),
                config_schema: kind.config_schema(),
                description: usual.description(),
                source: Source::BuiltIn(kind),
            })
        });
        Self(provided.chain(built_in).map(|info| (info.kind.clone(), info)).collect())
    }

    /// Every type, in the order of their names in requests.
    pub fn all(&self) -> impl Iterator<Item = &TypeInfo> {
        self.0.values()
    }

    /// One type.
    pub fn get(&self, kind: &ChannelType) -> Option<&TypeInfo> {
        self.0.get(kind)
    }
}
