//! Runtimes for any number of agents: one server that confirms every push.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use actix_web::web::{self, Bytes, Data, Path};
use actix_web::{App, HttpResponse, HttpServer};
use anyhow::{Context as _, Result};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::sync::watch;
use uuid::Uuid;

/// Where the agents live.
pub(crate) struct Runtimes {
    address: SocketAddr,
    state: Data<State>,
}

#[derive(Default)]
struct State {
    arrived: Mutex<HashMap<Uuid, Arrival>>,
    count: watch::Sender<usize>,
}

/// The push that an agent was given last.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) at: Instant,
    pub(crate) body: Bytes,
}

/// What an answer has to repeat.
#[derive(Deserialize)]
struct Push {
    generation: u64,
    integrations: Vec<IgnoredAny>,
}

impl Runtimes {
    /// Starts them on a port of their own.
    pub(crate) fn start() -> Result<Self> {
        let state = Data::from(Arc::new(State::default()));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
        let address = listener.local_addr().context("no port is free")?;
        let shared = Data::clone(&state);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(Data::clone(&shared))
                .app_data(web::PayloadConfig::new(16 << 20))
                .route("/silent/{agent}/integrations/sync", web::post().to(silence))
                .route("/{agent}/integrations/sync", web::post().to(sync))
                .route("/{agent}/channels/receive", web::post().to(receive))
        });
        let server = server.workers(1).disable_signals().listen(listener).context("the runtimes cannot listen")?;
        tokio::spawn(server.run());
        Ok(Self { address, state })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of runtimes that take what they are told and never answer.
    pub(crate) fn silent_url(&self) -> String {
        format!("{}/silent", self.url())
    }

    /// Forgets what arrived.
    pub(crate) fn forget(&self) {
        lock(&self.state.arrived).clear();
        self.state.count.send_replace(0);
    }

    /// What an agent was given last.
    pub(crate) fn arrival(&self, agent: Uuid) -> Option<Arrival> {
        lock(&self.state.arrived).get(&agent).cloned()
    }

    /// Changes with every push: how many agents have been given one.
    pub(crate) fn count(&self) -> watch::Receiver<usize> {
        self.state.count.subscribe()
    }
}

async fn sync(agent: Path<Uuid>, body: Bytes, state: Data<State>) -> HttpResponse {
    let at = Instant::now();
    let Ok(push) = serde_json::from_slice::<Push>(&body) else { return HttpResponse::BadRequest().finish() };
    let mut arrived = lock(&state.arrived);
    arrived.insert(*agent, Arrival { at, body });
    let count = arrived.len();
    drop(arrived);
    state.count.send_replace(count);
    let Push { generation, integrations } = push;
    let answer = serde_json::json!({ "synced": true, "count": integrations.len(), "generation": generation });
    HttpResponse::Ok().json(answer)
}

async fn silence(_body: Bytes) -> HttpResponse {
    std::future::pending().await
}

async fn receive() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "received": true }))
}

/// A panic elsewhere cannot leave the map half changed.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
