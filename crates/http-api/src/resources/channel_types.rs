//! The types of channels there are.

use actix_web::{HttpResponse, get};
use nora_webhooks::TypeInfo;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer;
use crate::auth::Authorized;
use crate::auth::scope::AnyToken;
use crate::problem::Problem;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list_channel_types);
}

/// A type of channel: whose webhooks it takes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelType)]
struct TypeView<'a> {
    /// What it is called in requests.
    #[schema(example = "github")]
    r#type: &'a str,
    /// What a person knows it by.
    #[schema(example = "GitHub")]
    name: &'a str,
    /// A JSON Schema (draft 2020-12) of a channel's `config`. Members marked `writeOnly` are kept in the vault.
    #[schema(value_type = Object)]
    config_schema: &'a Value,
    /// How what comes in is verified: the ways there are.
    #[schema(value_type = Vec<Object>)]
    verification: &'a Value,
    /// What the third party asks before or between events, and is answered.
    #[schema(value_type = Vec<Object>)]
    handshakes: &'a Value,
    /// Everything else about the scheme.
    #[schema(value_type = Object)]
    webhook: &'a Value,
}

impl<'a> TypeView<'a> {
    fn of(info: &'a TypeInfo) -> Self {
        let part = |name: &str| info.description.get(name).unwrap_or(&Value::Null);
        Self {
            r#type: info.kind.as_str(),
            name: &info.name,
            config_schema: &info.config_schema,
            verification: part("verification"),
            handshakes: part("handshakes"),
            webhook: &info.description,
        }
    }
}

/// List the types of channels
///
/// The webhook schemes of the providers of this installation, `standard-webhooks`, and `webhook` for everything that
/// signs its body or sends a shared value.
#[utoipa::path(
    tag = "Channels and webhooks",
    security(("bearer" = [])),
    responses((status = 200, description = "Every type, in the order of their names.", body = [TypeView])),
)]
#[get("/api/channel-types")]
async fn list_channel_types(call: Authorized<AnyToken>) -> Result<HttpResponse, Problem> {
    let types = &call.api.ports.channels.types;
    answer::ok(&types.all().map(TypeView::of).collect::<Vec<_>>())
}
