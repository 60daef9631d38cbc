//! The OpenAPI document: what the handlers say about themselves, and what is true of all of them.

mod complete;

use actix_web::App;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Info, License, OpenApi, OpenApiBuilder, PathItem, Tag};
use utoipa_actix_web::AppExt as _;

use crate::problem::ProblemBody;
use crate::resources;

pub(crate) const BEARER: &str = "bearer";

const DESCRIPTION: &str = "Connect third-party tools to agents, test the connections, and keep the agents' runtimes in \
    step.\n\nSend `Authorization: Bearer TOKEN` with every request to a route that names a scope. Everything that is \
    not a success is a problem (RFC 9457) with a stable `code`. Members and parameters this document does not know are \
    ignored, and answers may gain members. `HEAD` is answered wherever `GET` is. Beside what is listed, every path \
    answers a method it does not take by 405 with `Allow`, a target that is too long by 414 and headers that are too \
    large by 431. What is no HTTP/1.1 reaches no route: it is answered by 400, by 408 if it comes too slowly or by 431 \
    if it is without end, with no body, and hung up on.";

const TAGS: [(&str, &str); 7] = [
    ("Catalog", "The providers agents can be connected to."),
    ("Agents", "Agents, where their runtimes are, and how far those are."),
    ("Agent integrations", "What an agent is connected to."),
    ("MCP servers", "Which MCP servers an agent has, and what its redeploy hands over."),
    ("Channels and webhooks", "Public URLs that third parties post to, and what came in by them."),
    ("Keys and audit", "Who may do what, and who did."),
    ("Operations", "For those who run this service."),
];

/// This API in OpenAPI 3.1, collected from the routes of the application itself.
pub fn openapi() -> OpenApi {
    let (_, mut document) =
        App::new().into_utoipa_app().openapi(frame()).configure(resources::routes).split_for_parts();
    complete::complete(&mut document);
    document
}

/// The document as JSON, members in the order of their names, with a line break at the end.
pub fn openapi_json() -> String {
    let mut document = serde_json::to_value(openapi()).unwrap_or_default();
    document.sort_all_objects();
    format!("{document:#}\n")
}

/// The methods a path takes, as `Allow` lists them.
pub(crate) fn allow(item: &PathItem) -> String {
    let methods = complete::operations(item).map(|(method, _)| method);
    methods
        .flat_map(|method| if method == "GET" { vec!["GET", "HEAD"] } else { vec![method] })
        .collect::<Vec<_>>()
        .join(", ")
}

fn frame() -> OpenApi {
    let mut info = Info::new("nora integrations API", env!("CARGO_PKG_VERSION"));
    info.description = Some(DESCRIPTION.to_owned());
    info.license = Some(License::new(env!("CARGO_PKG_LICENSE")));
    let tags = TAGS.map(|(name, description)| {
        let mut tag = Tag::new(name);
        tag.description = Some(description.to_owned());
        tag
    });
    let mut components = Components::new();
    components.schemas.extend(complete::schemas_of::<ProblemBody<'static>>());
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer()));
    OpenApiBuilder::new().info(info).tags(Some(tags)).components(Some(components)).build()
}

fn bearer() -> Http {
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.description = Some(
        "An API key (`nora_` + public id + `_` + secret), or a JWT where this installation takes them. Only in this \
         header: never in a query, a body or a cookie."
            .to_owned(),
    );
    bearer
}
