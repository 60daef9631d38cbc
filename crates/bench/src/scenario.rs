//! The paths that are measured, each with its control and its target.

mod tidy;
mod webhooks;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;

use crate::load::{Connection, Requests};
use crate::world::{agent, connect, get, integrations, request};

pub(crate) use tidy::{SEEDED, Tidy};
use webhooks::Webhooks;

/// Of every scenario.
pub(crate) const NAMES: [&str; 7] = [
    "catalog-list",
    "catalog-item",
    "list-integrations",
    "connect-pushed",
    "webhook-16",
    "webhook-128",
    "channel-lookup",
];

/// How many connections a path is driven over unless it says otherwise.
const CONNECTIONS: u32 = 16;

/// A path and what it is compared with.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What the control does.
    pub(crate) control: &'static str,
    pub(crate) connections: u32,
    /// The least ratio of the server's throughput to the control's, where there is one.
    pub(crate) target: Option<f64>,
    /// Whether the control does less than the server. One that then comes out slower was not made well.
    pub(crate) control_does_less: bool,
    /// Whether the server is to refuse: 400 is the answer that counts.
    pub(crate) is_refused: bool,
    /// What is done after each of the server's turns.
    pub(crate) tidy: Option<Tidy>,
    pub(crate) server: Requests,
    pub(crate) bare: Requests,
}

/// What requests are about.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) server: SocketAddr,
    pub(crate) key: String,
    pub(crate) agents: u64,
}

impl World {
    /// The paths that are wanted. Answers are looked at once, so that those of the controls are as long.
    pub(crate) async fn scenarios(&self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Scenario>> {
        let mut scenarios = vec![
            self.catalog("catalog-list", "/api/integrations/catalog").await?,
            self.catalog("catalog-item", "/api/integrations/catalog/slack").await?,
            self.list().await?,
            self.connect("connect-pushed", None),
        ];
        if Webhooks::NAMES.iter().any(|name| is_wanted(name)) {
            let webhooks = Webhooks::open(self).await?;
            scenarios.extend([webhooks.accepted_from(16), webhooks.accepted_from(128), webhooks.looked_up()]);
        }
        scenarios.retain(|scenario| is_wanted(scenario.name));
        Ok(scenarios)
    }

    async fn catalog(&self, name: &'static str, path: &'static str) -> Result<Scenario> {
        let size = self.size_of(path).await?;
        let key = self.key.clone();
        Ok(Scenario {
            name,
            control: "bare handler",
            connections: CONNECTIONS,
            target: Some(0.6),
            control_does_less: true,
            is_refused: false,
            tidy: None,
            server: Arc::new(move |_| get(path, &key)),
            bare: Arc::new(move |_| get(&format!("/constant/{size}"), "")),
        })
    }

    async fn list(&self) -> Result<Scenario> {
        let size = self.size_of(&integrations(agent(0))).await?;
        let (key, agents) = (self.key.clone(), self.agents);
        Ok(Scenario {
            name: "list-integrations",
            control: "bare query",
            connections: CONNECTIONS,
            target: Some(0.6),
            control_does_less: true,
            is_refused: false,
            tidy: None,
            server: Arc::new(move |number| get(&integrations(agent(number % agents)), &key)),
            bare: Arc::new(move |number| get(&format!("/query/{}/{size}", agent(number % agents)), "")),
        })
    }

    /// Whether what the runtimes are told is part of it depends on the world.
    pub(crate) fn connect(&self, name: &'static str, target: Option<f64>) -> Scenario {
        let (key, agents) = (self.key.clone(), self.agents);
        Scenario {
            name,
            control: "bare transaction of two rows",
            connections: CONNECTIONS,
            target,
            control_does_less: true,
            is_refused: false,
            tidy: Some(Tidy { world: self.clone() }),
            server: Arc::new(move |number| connect(number % agents, 0, &format!("b{number}"), &key)),
            bare: Arc::new(move |number| bare_post("/transaction/400", format!("a row of text, {number:0>300}"))),
        }
    }

    async fn size_of(&self, path: &str) -> Result<usize> {
        Ok(Connection::open(self.server).await?.ask(get(path, &self.key)).await?.len())
    }
}

/// A request to a control that reads its body.
fn bare_post(path: &str, body: String) -> Request<Full<Bytes>> {
    request(Method::POST, path, "", body.into())
}
