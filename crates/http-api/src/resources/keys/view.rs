//! What an API key looks like.

use nora_access::{ApiKey, CreatedKey};
use nora_kernel::Scopes;
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::wire::Time;

/// The name of a scope.
#[derive(Debug, Serialize)]
pub(super) struct ScopeName(&'static str);

impl PartialSchema for ScopeName {
    fn schema() -> RefOr<Schema> {
        let names = nora_kernel::Scope::ALL.iter().map(|scope| scope.as_str());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A scope. `admin` implies all; a `:write` scope does not imply its `:read`."))
            .enum_values(Some(names))
            .into()
    }
}

impl ToSchema for ScopeName {
    fn name() -> std::borrow::Cow<'static, str> {
        "Scope".into()
    }
}

/// An API key's record, without anything that could be used as the key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKey)]
pub(super) struct KeyView {
    /// The record's id.
    id: Uuid,
    /// The public part of the key: what stands between `nora_` and the next `_`.
    #[schema(example = "4fZxK1q8WbTd")]
    public_id: String,
    /// What a person calls it.
    #[schema(example = "CI")]
    name: String,
    /// What it may do.
    #[schema(example = json!(["integrations:read"]))]
    scopes: Vec<ScopeName>,
    /// Where it may do it.
    #[schema(example = "default")]
    workspace: String,
    /// When it was made.
    created_at: Time,
    /// From when on it is refused; null if never.
    expires_at: Option<Time>,
    /// When it was last used, to the minute; null if never.
    last_used_at: Option<Time>,
}

/// A new key, shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedKey)]
pub(super) struct CreatedKeyView<'a> {
    /// The record's id.
    id: Uuid,
    /// The key itself.
    #[schema(example = "nora_PUBLIC_SECRET")]
    key: &'a str,
    /// The public part of the key.
    #[schema(example = "4fZxK1q8WbTd")]
    public_id: String,
    /// What a person calls it.
    #[schema(example = "CI")]
    name: String,
    /// What it may do.
    #[schema(example = json!(["integrations:read"]))]
    scopes: Vec<ScopeName>,
    /// Where it may do it.
    #[schema(example = "default")]
    workspace: String,
    /// When it was made.
    created_at: Time,
    /// From when on it is refused; null if never.
    expires_at: Option<Time>,
}

fn names(scopes: Scopes) -> Vec<ScopeName> {
    scopes.iter().map(|scope| ScopeName(scope.as_str())).collect()
}

impl KeyView {
    pub(super) fn of(key: &ApiKey) -> Self {
        let ApiKey { id, public_id, name, scopes, workspace, created_at, expires_at, last_used_at } = key;
        Self {
            id: id.as_uuid(),
            public_id: public_id.to_string(),
            name: name.to_string(),
            scopes: names(*scopes),
            workspace: workspace.to_string(),
            created_at: Time(*created_at),
            expires_at: expires_at.map(Time),
            last_used_at: last_used_at.map(Time),
        }
    }
}

impl<'a> CreatedKeyView<'a> {
    pub(super) fn of(created: &'a CreatedKey) -> Self {
        let KeyView { id, public_id, name, scopes, workspace, created_at, expires_at, .. } =
            KeyView::of(&created.record);
        let key = created.key.expose();
        Self { id, key, public_id, name, scopes, workspace, created_at, expires_at }
    }
}
