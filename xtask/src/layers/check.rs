//! Applies the rules to a graph.

use std::fmt;

use super::graph::{Crate, Edge, Graph, Kind, folder};
use super::{
    BELOW_ADAPTERS, DEV_EDGES, EXPLAINED_IN, EXTERNALS, EXTRA_EDGES, LAYERS, LayerRule, NARROWER, Place, Scope,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layer {
    Kernel,
    Sdk,
    Domain,
    Adapter,
    Provider,
    Inbound,
    App,
    Test,
    Tool,
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kernel => "kernel",
            Self::Sdk => "sdk",
            Self::Domain => "domain",
            Self::Adapter => "adapter",
            Self::Provider => "provider",
            Self::Inbound => "inbound",
            Self::App => "app",
            Self::Test => "test",
            Self::Tool => "tool",
        })
    }
}

/// Every way in which `graph` breaks the rules, one sentence each.
pub(crate) fn violations(graph: &Graph) -> Vec<String> {
    graph.crates.iter().flat_map(|from| of_crate(graph, from)).collect()
}

fn of_crate(graph: &Graph, from: &Crate) -> Vec<String> {
    let rule = match declared(from) {
        Ok(rule) => rule,
        Err(violation) => return vec![violation],
    };
    let wrong_layer = misplaced(from, rule);
    let internal = from.edges.iter().filter(|edge| edge.internal).filter_map(|edge| of_edge(graph, from, rule, edge));
    let external = from.edges.iter().filter(|edge| !edge.internal).flat_map(|edge| of_external(from, rule.layer, edge));
    wrong_layer.into_iter().chain(internal).chain(external).collect()
}

/// The rule for the layer that `from` declares.
fn declared(from: &Crate) -> Result<&'static LayerRule, String> {
    let name = &from.name;
    let Some(layer) = &from.layer else {
        return Err(format!(
            "{name}: its manifest declares no layer, see {EXPLAINED_IN}: add `[package.metadata.architecture]`"
        ));
    };
    let known = LAYERS.iter().find(|rule| rule.layer.to_string() == *layer);
    known.ok_or_else(|| format!("{name}: there is no layer {layer}, see {EXPLAINED_IN}"))
}

/// A crate in the table cannot loosen its rules by declaring another layer.
fn misplaced(from: &Crate, declared: &LayerRule) -> Option<String> {
    let folder = folder(&from.name);
    // In the table's order, and the sdk before the providers: `provider-sdk` is no provider.
    let expected = LAYERS.iter().find(|rule| rule.crates.iter().any(|pattern| fits(pattern, folder)))?;
    (expected.layer != declared.layer).then(|| {
        format!("{}: belongs to the layer {}, not {}, see {EXPLAINED_IN}", from.name, expected.layer, declared.layer)
    })
}

fn of_edge(graph: &Graph, from: &Crate, rule: &LayerRule, edge: &Edge) -> Option<String> {
    let target = graph.crates.iter().find(|other| other.name == edge.to);
    let Some(Ok(target)) = target.map(declared) else {
        // A crate without a layer has a violation of its own; a path out of the workspace has no layer at all.
        return target.is_none().then(|| forbidden(from, edge, "it is not in this workspace"));
    };
    if from.name == edge.to || (edge.kind == Kind::Dev && is_for_tests(from, edge, target.layer)) {
        return None;
    }
    if target.layer == Layer::Test && rule.layer != Layer::Test {
        return Some(forbidden(from, edge, "crates for tests are dev-dependencies only"));
    }
    if is_allowed(folder(&from.name), rule, folder(&edge.to), target.layer) {
        return None;
    }
    let reason = format!("the layer {} may not depend on the layer {} here", rule.layer, target.layer);
    Some(forbidden(from, edge, &reason))
}

fn is_for_tests(from: &Crate, edge: &Edge, target: Layer) -> bool {
    let other_side =
        |(name, others): &(&str, &[&str])| *name == folder(&from.name) && others.contains(&folder(&edge.to));
    target == Layer::Test || DEV_EDGES.iter().any(other_side)
}

fn is_allowed(from: &str, rule: &LayerRule, to: &str, target: Layer) -> bool {
    if let Some((_, only)) = NARROWER.iter().find(|(name, _)| *name == from) {
        return only.contains(&to);
    }
    let extra = EXTRA_EDGES.iter().any(|(name, extra)| *name == from && extra.contains(&to));
    let below = rule.layer == Layer::Adapter && to == BELOW_ADAPTERS;
    extra || below || rule.may_depend_on.contains(&target)
}

fn of_external(from: &Crate, layer: Layer, edge: &Edge) -> Vec<String> {
    if edge.kind == Kind::Dev {
        return Vec::new();
    }
    EXTERNALS
        .iter()
        .filter(|rule| rule.names.iter().any(|pattern| fits(pattern, &edge.to)))
        .filter_map(|rule| objection(&rule.place, folder(&from.name), layer, &edge.features))
        .map(|reason| forbidden(from, edge, &reason))
        .collect()
}

fn objection(place: &Place, from: &str, layer: Layer, features: &[String]) -> Option<String> {
    match place {
        Place::Only(crates) => {
            (!crates.contains(&from)).then(|| format!("only {} may depend on it", crates.join(", ")))
        }
        Place::Outside(layers) => {
            layers.contains(&layer).then(|| format!("the layer {layer} does no I/O and knows no async runtime"))
        }
        Place::Features { of, allowed } => {
            let extra = features.iter().find(|feature| !allowed.contains(&feature.as_str()));
            extra.filter(|_| of.includes(from, layer)).map(|extra| format!("not with its feature {extra}"))
        }
        Place::NotFeatures { of, refused } => {
            let extra = features.iter().find(|feature| refused.contains(&feature.as_str()));
            extra.filter(|_| of.includes(from, layer)).map(|extra| format!("not with its feature {extra}"))
        }
    }
}

impl Scope {
    fn includes(&self, from: &str, layer: Layer) -> bool {
        match self {
            Self::Crate(name) => *name == from,
            Self::Layer(scope) => *scope == layer,
        }
    }
}

fn forbidden(from: &Crate, edge: &Edge, reason: &str) -> String {
    let kind = match edge.kind {
        Kind::Normal => "dependency",
        Kind::Dev => "dev-dependency",
        Kind::Build => "build-dependency",
    };
    format!("{} -> {} ({kind}): {reason}, see {EXPLAINED_IN}", from.name, edge.to)
}

fn fits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    fn member(name: &str, layer: &str, edges: Vec<Edge>) -> Crate {
        Crate { name: name.to_owned(), layer: Some(layer.to_owned()), edges }
    }

    fn internal(to: &str) -> Edge {
        Edge { to: to.to_owned(), kind: Kind::Normal, internal: true, features: Vec::new() }
    }

    fn external(to: &str) -> Edge {
        Edge { internal: false, ..internal(to) }
    }

    fn dev(edge: Edge) -> Edge {
        Edge { kind: Kind::Dev, ..edge }
    }

    fn with_features(edge: Edge, features: &[&str]) -> Edge {
        Edge { features: features.iter().map(ToString::to_string).collect(), ..edge }
    }

    /// One crate of each kind that the cases below depend on.
    fn others() -> Vec<Crate> {
        vec![
            member("nora-kernel", "kernel", vec![]),
            member("nora-provider-sdk", "sdk", vec![]),
            member("nora-catalog", "domain", vec![]),
            member("nora-agents", "domain", vec![]),
            member("nora-store-sqlite", "adapter", vec![]),
            member("nora-net-guard", "adapter", vec![]),
            member("nora-provider-aws", "provider", vec![]),
            member("nora-http-api", "inbound", vec![]),
            member("nora-reference-runtime", "app", vec![]),
            member("nora-server", "app", vec![]),
            member("nora-testkit", "test", vec![]),
        ]
    }

    fn check(subject: Crate) -> Vec<String> {
        let mut crates = others();
        crates.retain(|other| other.name != subject.name);
        crates.push(subject);
        violations(&Graph { crates })
    }

    fn check_allowed(name: &str, layer: &str, edge: Edge) {
        assert_eq!(check(member(name, layer, vec![edge])), Vec::<String>::new());
    }

    fn check_forbidden(name: &str, layer: &str, edge: Edge, reason: &str) {
        let expected_edge = format!("{name} -> {} (", edge.to);
        let violations = check(member(name, layer, vec![edge]));
        let [violation] = violations.as_slice() else { panic!("not exactly one violation: {violations:#?}") };
        assert!(violation.starts_with(&expected_edge), "{violation}");
        assert!(violation.contains(reason), "{violation}");
        assert!(violation.ends_with("see docs/architecture.md"), "{violation}");
    }

    #[test]
    fn dependency_rules_hold() {
        let workspace = Workspace::load().unwrap();
        let violations = violations(&Graph::new(workspace.packages()));
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }

    #[test]
    fn every_layer_has_a_rule() {
        assert_eq!(violations(&Graph { crates: others() }), Vec::<String>::new());
    }

    #[test]
    fn a_crate_without_a_layer_is_refused() {
        let subject = Crate { layer: None, ..member("nora-novelty", "", vec![internal("nora-server")]) };
        let violations = check(subject);
        assert_eq!(violations.len(), 1, "{violations:#?}");
        assert!(
            violations.iter().all(|violation| violation.starts_with("nora-novelty: its manifest declares no layer"))
        );
        assert!(violations.iter().all(|violation| violation.contains("docs/architecture.md")));
    }

    #[test]
    fn an_invented_layer_is_refused() {
        let violations = check(member("nora-novelty", "helpers", vec![]));
        assert_eq!(violations, ["nora-novelty: there is no layer helpers, see docs/architecture.md"]);
    }

    #[test]
    fn a_crate_cannot_choose_a_looser_layer() {
        let violations = check(member("nora-catalog", "app", vec![]));
        assert_eq!(violations, ["nora-catalog: belongs to the layer domain, not app, see docs/architecture.md"]);
        let violations = check(member("nora-provider-sdk", "provider", vec![]));
        assert_eq!(violations, ["nora-provider-sdk: belongs to the layer sdk, not provider, see docs/architecture.md"]);
    }

    #[test]
    fn the_kernel_depends_on_nothing_of_ours() {
        check_forbidden("nora-kernel", "kernel", internal("nora-catalog"), "kernel may not depend on the layer domain");
    }

    #[test]
    fn a_domain_crate_does_not_know_adapters() {
        let reason = "domain may not depend on the layer adapter";
        check_forbidden("nora-access", "domain", internal("nora-store-sqlite"), reason);
        check_forbidden("nora-access", "domain", dev(internal("nora-store-sqlite")), reason);
    }

    #[test]
    fn domain_crates_know_only_the_domain_crates_in_the_table() {
        check_allowed("nora-webhooks", "domain", internal("nora-catalog"));
        check_allowed("nora-integrations", "domain", internal("nora-agents"));
        let reason = "domain may not depend on the layer domain";
        check_forbidden("nora-access", "domain", internal("nora-catalog"), reason);
        check_forbidden("nora-catalog", "domain", internal("nora-agents"), reason);
    }

    #[test]
    fn adapters_know_no_other_adapter_but_the_guard() {
        check_allowed("nora-egress-reqwest", "adapter", internal("nora-net-guard"));
        check_allowed("nora-vault-ring", "adapter", internal("nora-catalog"));
        let reason = "adapter may not depend on the layer adapter";
        check_forbidden("nora-vault-ring", "adapter", internal("nora-store-sqlite"), reason);
    }

    #[test]
    fn providers_know_the_sdk_alone() {
        check_allowed("nora-provider-smtp", "provider", internal("nora-provider-sdk"));
        check_forbidden("nora-provider-smtp", "provider", internal("nora-net-guard"), "provider may not depend on");
        check_forbidden("nora-provider-smtp", "provider", internal("nora-provider-aws"), "provider may not depend on");
    }

    #[test]
    fn the_api_does_not_know_stores() {
        check_allowed("nora-http-api", "inbound", internal("nora-agents"));
        check_forbidden("nora-http-api", "inbound", internal("nora-store-sqlite"), "inbound may not depend on");
    }

    #[test]
    fn the_server_knows_all_but_tests() {
        check_allowed("nora-server", "app", internal("nora-store-sqlite"));
        check_forbidden("nora-server", "app", internal("nora-testkit"), "dev-dependencies only");
        check_forbidden("nora-reference-runtime", "app", internal("nora-catalog"), "app may not depend on");
        check_allowed("nora-reference-runtime", "app", internal("nora-kernel"));
    }

    #[test]
    fn any_crate_may_be_tested_with_the_test_crates() {
        check_allowed("nora-kernel", "kernel", dev(internal("nora-testkit")));
        check_forbidden("nora-access", "domain", internal("nora-testkit"), "dev-dependencies only");
    }

    #[test]
    fn the_runtime_client_may_be_tested_with_the_other_side() {
        check_allowed("nora-runtime-client", "adapter", dev(internal("nora-reference-runtime")));
        check_forbidden("nora-runtime-client", "adapter", internal("nora-reference-runtime"), "layer app");
        check_forbidden("nora-store-sqlite", "adapter", dev(internal("nora-reference-runtime")), "layer app");
    }

    #[test]
    fn a_path_out_of_the_workspace_is_refused() {
        check_forbidden("nora-access", "domain", internal("somewhere-else"), "not in this workspace");
    }

    #[test]
    fn external_crates_stay_in_their_places() {
        for (name, layer, dependency) in [
            ("nora-catalog", "domain", "diesel"),
            ("nora-vault-ring", "adapter", "diesel-async"),
            ("nora-agents", "domain", "actix-web"),
            ("nora-store-sqlite", "adapter", "utoipa-actix-web"),
            ("nora-net-guard", "adapter", "ring"),
            ("nora-provider-aws", "provider", "reqwest"),
        ] {
            check_forbidden(name, layer, external(dependency), "only ");
            check_allowed(name, layer, dev(external(dependency)));
        }
        check_allowed("nora-store-sqlite", "adapter", external("diesel-async"));
        check_allowed("nora-http-api", "inbound", external("actix-web"));
        check_allowed("nora-provider-sdk", "sdk", external("ring"));
        check_allowed("nora-net-guard", "adapter", external("reqwest"));
    }

    #[test]
    fn the_inside_knows_no_async_runtime() {
        check_forbidden("nora-kernel", "kernel", external("tokio"), "no async runtime");
        check_forbidden("nora-catalog", "domain", external("tokio-util"), "no async runtime");
        check_allowed("nora-catalog", "domain", dev(external("tokio")));
        check_allowed("nora-store-sqlite", "adapter", external("tokio"));
    }

    #[test]
    fn providers_and_their_sdk_get_no_sockets_from_tokio() {
        let tokio = |feature| with_features(external("tokio"), &[feature]);
        check_allowed("nora-provider-sdk", "sdk", tokio("io-util"));
        check_forbidden("nora-provider-sdk", "sdk", tokio("time"), "not with its feature time");
        check_allowed("nora-provider-aws", "provider", tokio("time"));
        check_forbidden("nora-provider-aws", "provider", tokio("net"), "not with its feature net");
    }
}
