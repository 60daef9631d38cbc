//! Filling an installation through its own API, so that what is measured is what users would have.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::load::Load;
use crate::progress::Progress;
use crate::scenario::SEEDED;
use crate::world::{PROVIDERS, connect, create_agent};

/// How many requests are under way at once.
const CONNECTIONS: u32 = 8;

/// Who is asked, with which key, and where the agents' runtimes are.
pub(crate) struct Seed<'a> {
    pub(crate) server: SocketAddr,
    pub(crate) key: &'a str,
    pub(crate) runtime: &'a str,
}

impl Seed<'_> {
    /// Registers agents and connects each to the first few providers.
    pub(crate) async fn plant(&self, agents: u32, each: usize, progress: &Progress) -> Result<()> {
        let agents = u64::from(agents);
        progress.say(&format!("registering {agents} agents"));
        let (key, runtime) = (self.key.to_owned(), self.runtime.to_owned());
        let register = Arc::new(move |number| create_agent(number, &runtime, &key));
        Load::new(self.server, CONNECTIONS, register).exactly(agents).await.context("agents cannot be registered")?;
        for provider in 0..each.min(PROVIDERS.len()) {
            progress.say(&format!("connecting them, {} of {each}", provider + 1));
            let key = self.key.to_owned();
            let connect = Arc::new(move |number| connect(number, provider, SEEDED, &key));
            let connecting = Load::new(self.server, CONNECTIONS, connect);
            connecting.exactly(agents).await.context("agents cannot be connected")?;
        }
        Ok(())
    }
}
