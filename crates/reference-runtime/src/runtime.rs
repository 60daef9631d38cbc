//! Starting and stopping.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use nora_kernel::Secret;
use tokio::task::JoinHandle;

use crate::faults::Faults;
use crate::mcp::{Fleet, Surroundings};
use crate::state::State;
use crate::state_file::{StateFile, StateFileError};
use crate::{Config, Handle, routes};

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An empty token would let anybody in.
    #[error("the runtime's token is empty")]
    TokenEmpty,
    /// The address cannot be listened on.
    #[error("the runtime cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The state of the last run is not to be had.
    #[error(transparent)]
    StateFile(#[from] StateFileError),
}

/// A runtime that listens. Dropping it stops it.
pub struct RunningRuntime {
    address: SocketAddr,
    handle: Handle,
    server: ServerHandle,
    task: Option<JoinHandle<std::io::Result<()>>>,
}

impl RunningRuntime {
    /// Starts a runtime. It must be called within an async runtime, and ends with it.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let Config { listen, token, state_file, events_kept, path, home } = config;
        if token.is_empty() {
            return Err(StartError::TokenEmpty);
        }
        let failed = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let state = Arc::new(State::open(state_file.map(StateFile::new), events_kept)?);
        let surroundings = Surroundings { path, home };
        let fleet = Arc::new(Fleet::new(surroundings.clone()));
        let handle = Handle { state, fleet, faults: Arc::new(Faults::default()), surroundings };
        handle.restore();
        let server = serve(listener, handle.clone(), &token).map_err(failed)?;
        let stop = server.handle();
        let task = Some(tokio::spawn(server));
        Ok(Self { address, handle, server: stop, task })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it holds.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Stops it and its MCP servers, and waits until its port is free; requests under way are dropped.
    pub async fn stop(mut self) {
        self.server.stop(false).await;
        self.handle.fleet.stop();
        if let Some(task) = self.task.take() {
            // It has nothing to say but that it ended.
            let _ = task.await;
        }
    }
}

impl Drop for RunningRuntime {
    fn drop(&mut self) {
        // The command is sent here; what is dropped is the wait for its end.
        drop(self.server.stop(false));
        self.handle.fleet.stop();
    }
}

fn serve(listener: TcpListener, handle: Handle, token: &Secret) -> std::io::Result<actix_web::dev::Server> {
    let shared = web::Data::new(routes::Shared::new(handle, token));
    let server = HttpServer::new(move || App::new().app_data(shared.clone()).configure(routes::configure))
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(server)
}
