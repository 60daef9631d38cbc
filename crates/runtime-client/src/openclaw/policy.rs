//! Which way a variable takes to an agent behind a gateway.

use nora_kernel::EnvName;

use super::store::{Holding, sorted};

/// Credentials that `OpenClaw` does not let anybody set as entries of an environment: it answers `ok` and drops them.
const PROTECTED: [&str; 31] = [
    "AMQP_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_AUTH_LOCATION",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "DATABASE_URL",
    "DOCKER_CERT_PATH",
    "DOCKER_CONTEXT",
    "DOCKER_HOST",
    "DOCKER_TLS_VERIFY",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "KUBECONFIG",
    "MONGODB_URI",
    "NODE_AUTH_TOKEN",
    "NPM_TOKEN",
    "PIP_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "REDIS_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_INDEX_URL",
];

/// The largest value the store takes, in bytes.
const LARGEST_VALUE: usize = 65_536;
/// The most hosts an entry may be bound to.
const MOST_HOSTS: usize = 128;

const NO_STORE: &str = "This gateway has no secret store (OpenClaw has had one since 2026.8); it takes the variable from \
                        its container's environment at the next deployment.";
const PROTECTED_NAME: &str = "OpenClaw lets nobody set this name in a running gateway. It takes effect from the \
                              container's environment at the next deployment, or at once where the gateway's egress \
                              proxy is on.";
const PROTECTED_VALUE: &str = "OpenClaw lets nobody set this name in a running gateway, and its egress proxy cannot \
                               stand in for a value that does not travel in headers alone. It takes effect from the \
                               container's environment at the next deployment.";
const TOO_LARGE: &str = "The gateway's secret store takes values of at most 65536 bytes.";

/// What a gateway can do.
#[derive(Debug, Clone, Copy)]
pub(super) struct Abilities {
    pub(super) store: bool,
    pub(super) egress_proxy: bool,
}

/// The way a variable takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Into the store.
    Store(Holding),
    /// With the next deployment, for this reason.
    Redeploy(&'static str),
    /// Nowhere, for this reason.
    Refused(&'static str),
}

/// The way of the variable `name` of `length` bytes; `hosts` are those its value is sent to if it travels in headers
/// alone.
pub(super) fn route(name: &EnvName, length: usize, hosts: Option<&[String]>, gateway: Abilities) -> Route {
    let hosts = hosts.filter(|hosts| (1..=MOST_HOSTS).contains(&hosts.len()));
    match (gateway, hosts) {
        (Abilities { store: false, .. }, _) => Route::Redeploy(NO_STORE),
        _ if length > LARGEST_VALUE => Route::Refused(TOO_LARGE),
        (Abilities { egress_proxy: true, .. }, Some(hosts)) => Route::Store(Holding::Bound(sorted(hosts.to_vec()))),
        (Abilities { egress_proxy: true, .. }, None) if is_protected(name) => Route::Redeploy(PROTECTED_VALUE),
        (Abilities { egress_proxy: false, .. }, _) if is_protected(name) => Route::Redeploy(PROTECTED_NAME),
        _ => Route::Store(Holding::Plain),
    }
}

fn is_protected(name: &EnvName) -> bool {
    PROTECTED.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: Abilities = Abilities { store: true, egress_proxy: false };
    const PROXIED: Abilities = Abilities { store: true, egress_proxy: true };
    const OLD: Abilities = Abilities { store: false, egress_proxy: false };

    #[test]
    fn every_variable_has_its_way() {
        let hosts = vec!["api.example.com".to_owned()];
        let bound = || Route::Store(Holding::Bound(hosts.clone()));
        let [free, protected] = ["LINEAR_API_KEY", "GITHUB_TOKEN"].map(|name| name.parse::<EnvName>().unwrap());
        let cases = [
            (&free, None, BARE, Route::Store(Holding::Plain)),
            (&free, Some(&hosts), BARE, Route::Store(Holding::Plain)),
            (&protected, Some(&hosts), BARE, Route::Redeploy(PROTECTED_NAME)),
            (&free, None, PROXIED, Route::Store(Holding::Plain)),
            (&free, Some(&hosts), PROXIED, bound()),
            (&protected, Some(&hosts), PROXIED, bound()),
            (&protected, None, PROXIED, Route::Redeploy(PROTECTED_VALUE)),
            (&free, None, OLD, Route::Redeploy(NO_STORE)),
            (&protected, Some(&hosts), OLD, Route::Redeploy(NO_STORE)),
        ];
        for (name, hosts, gateway, expected) in cases {
            assert_eq!(route(name, 7, hosts.map(Vec::as_slice), gateway), expected, "{name} {hosts:?} {gateway:?}");
        }
    }

    #[test]
    fn what_is_too_large_is_not_sent() {
        let name = "LINEAR_API_KEY".parse().unwrap();
        assert_eq!(route(&name, LARGEST_VALUE, None, BARE), Route::Store(Holding::Plain));
        assert_eq!(route(&name, LARGEST_VALUE + 1, None, BARE), Route::Refused(TOO_LARGE));
    }

    #[test]
    fn another_name_is_not_protected_by_its_beginning() {
        assert!(is_protected(&"GITHUB_TOKEN".parse().unwrap()));
        assert!(!is_protected(&"GITHUB_TOKEN__PROD".parse().unwrap()));
    }
}
