//! The layer rules of docs/architecture.md, as data. `layers/check.rs` applies them.

mod check;
mod graph;
#[cfg(test)]
mod suites;

pub(crate) use check::violations;
pub(crate) use graph::Graph;

use check::Layer::{self, Adapter, App, Domain, Inbound, Kernel, Provider, Sdk, Test, Tool};

/// Where the rules are explained.
const EXPLAINED_IN: &str = "docs/architecture.md";

/// One line of the table of layers.
struct LayerRule {
    layer: Layer,
    /// Folders of crates that must declare this layer; a trailing `*` stands for any ending. Others are free to.
    crates: &'static [&'static str],
    may_depend_on: &'static [Layer],
}

const LAYERS: [LayerRule; 9] = [
    LayerRule { layer: Kernel, crates: &["kernel"], may_depend_on: &[] },
    LayerRule { layer: Sdk, crates: &["provider-sdk", "provider-testkit"], may_depend_on: &[Kernel] },
    LayerRule {
        layer: Domain,
        crates: &["access", "agents", "catalog", "integrations", "mcp-servers", "webhooks"],
        may_depend_on: &[Kernel, Sdk],
    },
    LayerRule {
        layer: Adapter,
        crates: &["egress-*", "jwt-*", "net-guard", "runtime-client", "store-*", "vault-*"],
        may_depend_on: &[Kernel, Sdk, Domain],
    },
    LayerRule { layer: Provider, crates: &["provider-*", "providers-*"], may_depend_on: &[Kernel, Sdk] },
    LayerRule { layer: Inbound, crates: &["http-api"], may_depend_on: &[Kernel, Domain] },
    LayerRule {
        layer: App,
        crates: &["reference-runtime", "server"],
        may_depend_on: &[Kernel, Sdk, Domain, Adapter, Provider, Inbound, App],
    },
    LayerRule {
        layer: Test,
        crates: &["bench", "e2e", "testkit", "testkit-*"],
        may_depend_on: &[Kernel, Sdk, Domain, Adapter, Provider, Inbound, App, Test],
    },
    LayerRule { layer: Tool, crates: &["xtask"], may_depend_on: &[] },
];

/// What a crate may depend on beyond its layer: crates of that layer itself.
const EXTRA_EDGES: [(&str, &[&str]); 4] = [
    ("integrations", &["catalog", "agents"]),
    ("mcp-servers", &["catalog", "agents", "integrations"]),
    ("webhooks", &["catalog", "agents"]),
    // The suite exercises the port that the sdk declares.
    ("provider-testkit", &["provider-sdk"]),
];

/// What a crate's tests may depend on beyond crates for tests: the other side of what it speaks, or what its
/// dependencies are put together from.
const DEV_EDGES: [(&str, &[&str]); 2] = [("http-api", &["provider-sdk"]), ("runtime-client", &["reference-runtime"])];

/// The adapter that stands below the others.
const BELOW_ADAPTERS: &str = "net-guard";

/// A crate that may depend on less than its layer.
const NARROWER: [(&str, &[&str]); 1] = [("reference-runtime", &["kernel"])];

/// Where a crate that is not ours may be a dependency. Dev-dependencies are free.
struct ExternalRule {
    /// A trailing `*` stands for any ending.
    names: &'static [&'static str],
    place: Place,
}

enum Place {
    /// In these crates of ours alone.
    Only(&'static [&'static str]),
    /// Anywhere but in these layers.
    Outside(&'static [Layer]),
    /// In this layer or crate with none but these features.
    Features { of: Scope, allowed: &'static [&'static str] },
    /// In this layer or crate without these features.
    NotFeatures { of: Scope, refused: &'static [&'static str] },
}

enum Scope {
    Crate(&'static str),
    Layer(Layer),
}

const EXTERNALS: [ExternalRule; 7] = [
    ExternalRule {
        names: &["diesel", "diesel-*", "diesel_*"],
        place: Place::Only(&["bench", "store-postgres", "store-sqlite", "testkit-postgres"]),
    },
    ExternalRule {
        names: &["actix-*", "utoipa-actix-web"],
        place: Place::Only(&["bench", "http-api", "reference-runtime", "server"]),
    },
    ExternalRule {
        names: &["ring"],
        place: Place::Only(&["jwt-ring", "provider-sdk", "runtime-client", "testkit-runtimes", "vault-ring"]),
    },
    ExternalRule { names: &["reqwest"], place: Place::Only(&["e2e", "egress-reqwest", "net-guard", "runtime-client"]) },
    ExternalRule { names: &["tokio", "tokio-*"], place: Place::Outside(&[Kernel, Domain]) },
    // For the traits of the stream that a provider's context hands out; who runs it is not the sdk's business.
    ExternalRule {
        names: &["tokio"],
        place: Place::Features { of: Scope::Crate("provider-sdk"), allowed: &["io-util"] },
    },
    // A provider's connections come from its context.
    ExternalRule {
        names: &["tokio"],
        place: Place::NotFeatures { of: Scope::Layer(Provider), refused: &["full", "net"] },
    },
];
