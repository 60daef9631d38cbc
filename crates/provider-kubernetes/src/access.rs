//! Where a context leads, and what it shows there.

use async_trait::async_trait;
use nora_provider_sdk::{Attempt, Connection, Context, Outcome, Secret, Unready, https_url};
use serde_json::{Map, Value};
use url::Url;

use crate::kubeconfig::{Kubeconfig, text_of};
use crate::review::review;

const KUBECONFIG: &str = "kubeconfig";
pub(crate) const CONTEXT: &str = "context";

const BAD_SERVER: &str = "must name the API server of the chosen context by a plain https URL, without user name, password, query and fragment, with port 443 or one from 1024 up";
const BAD_TOKEN: &str = "has a token that cannot be one: it holds characters that fit into no header";

const ABSENT: &str = "Nothing was sent: a kubeconfig is needed.";
const OWN_AUTHORITY: &str = "Nothing was sent: the cluster's certificate is signed by an authority of its own (certificate-authority-data), which a connection test does not trust. Agents that are given the kubeconfig do.";
const CERTIFICATE: &str = "Nothing was sent: the user logs in with a client certificate, which a connection test does not show. A service account's token can be tested.";
const PROXY: &str = "Nothing was sent: the cluster is reached through a proxy, which a connection test does not use.";
const TLS_NAME: &str = "Nothing was sent: the cluster's certificate is for another name (tls-server-name), which a connection test does not take.";
const NO_TOKEN: &str = "Nothing was sent: the user of the chosen context has no token.";

/// How a context gets to its API server.
pub(crate) struct Access {
    pub(crate) server: Url,
    pub(crate) token: Secret,
}

#[async_trait]
impl Attempt for Access {
    fn read(connection: &Connection<'_>) -> Result<Self, Unready> {
        let text = connection.entered(KUBECONFIG).ok_or(Unready::Untestable(ABSENT))?;
        Kubeconfig::parse(text).map_err(wrong)?.access(connection.text(CONTEXT).as_deref())
    }

    async fn run(self, connection: &Connection<'_>, context: &dyn Context) -> Result<Outcome, Box<Outcome>> {
        let namespace = connection.text("namespace").unwrap_or_else(|| "default".to_owned());
        let who = review(&self, &namespace, context).await?;
        let account = who.user.as_deref().and_then(|user| connection.account(user));
        let outcome = Outcome::verified(account).with_status(who.status);
        Ok(Outcome { advice: who.advice.map(Into::into), ..outcome })
    }
}

impl Access {
    pub(crate) fn new(cluster: &Map<String, Value>, user: &Map<String, Value>) -> Result<Self, Unready> {
        let server = text_of(cluster, "server").and_then(https_url).ok_or(wrong(BAD_SERVER))?;
        let token = text_of(user, "token");
        if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err(wrong(BAD_TOKEN));
        }
        if let Some(obstacle) = obstacle(cluster, user) {
            return Err(Unready::Untestable(obstacle));
        }
        let token = token.ok_or(Unready::Untestable(NO_TOKEN))?;
        Ok(Self { server, token: Secret::new(token.to_owned()) })
    }
}

/// A kubeconfig that has to be another one.
pub(crate) const fn wrong(detail: &'static str) -> Unready {
    Unready::Field { name: KUBECONFIG, detail }
}

/// What a test's HTTP cannot do.
fn obstacle(cluster: &Map<String, Value>, user: &Map<String, Value>) -> Option<&'static str> {
    let has = |members: &Map<String, Value>, key: &str| text_of(members, key).is_some();
    let obstacles = [
        (has(user, "client-certificate-data") || has(user, "client-key-data"), CERTIFICATE),
        (has(cluster, "proxy-url"), PROXY),
        (has(cluster, "certificate-authority-data"), OWN_AUTHORITY),
        (has(cluster, "tls-server-name"), TLS_NAME),
    ];
    obstacles.into_iter().find(|(is_there, _)| *is_there).map(|(_, why)| why)
}
