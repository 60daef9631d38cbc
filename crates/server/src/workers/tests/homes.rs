//! Runtimes of every kind, and what is live in them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use nora_agents::{GatewayInput, RuntimeInput, RuntimeKind};
use nora_kernel::AgentId;
use nora_kernel::address::NetworkPolicy;
use nora_net_guard::{Guard, SystemResolver, Tls};
use nora_runtime_client::Runtimes;
use nora_testkit::PlainDigest;
use nora_testkit_runtimes::{Gateway, GatewaySettings, Hermes, Journal, Sidecar};

use super::{Machine, secret};

const TOKEN: &str = "runtime";

/// Speaks to the fakes as the server does to real runtimes.
pub(super) fn runtimes() -> Runtimes {
    let policy = NetworkPolicy::runtimes_by_default(true);
    let guard = Guard::new(policy, Arc::new(SystemResolver), Tls::new(&[]).unwrap());
    Runtimes::new(guard, Arc::new(PlainDigest)).unwrap()
}

/// Time stands still while this lives: a paused clock would jump to the next timer whenever a socket is waited for.
pub(super) struct StandStill {
    _held: Sender<()>,
}

impl StandStill {
    pub(super) fn begin() -> Self {
        let (held, released) = channel();
        tokio::task::spawn_blocking(move || released.recv());
        Self { _held: held }
    }
}

/// Where an agent lives.
pub(super) enum Home {
    /// On the machine, with everybody else of kind `nora`.
    Machine,
    Sidecar(Sidecar),
    Gateway(Gateway),
    Hermes(Hermes),
}

impl Home {
    /// A runtime of a kind of its own for each of four neighbours.
    pub(super) async fn open(number: usize) -> Self {
        match number % 4 {
            0 => Self::Machine,
            1 => Self::Sidecar(Sidecar::start(Journal::new()).await),
            2 => Self::Gateway(Gateway::start(GatewaySettings::default(), Journal::new()).await),
            _ => Self::Hermes(Hermes::start(TOKEN, Journal::new()).await),
        }
    }

    pub(super) fn input(&self) -> (RuntimeInput, Option<GatewayInput>) {
        let (kind, url) = match self {
            Self::Machine => (RuntimeKind::Nora, Some("http://10.0.0.1:9090".to_owned())),
            Self::Sidecar(sidecar) => (RuntimeKind::Sidecar, Some(sidecar.url())),
            Self::Gateway(_) => (RuntimeKind::Openclaw, None),
            Self::Hermes(hermes) => (RuntimeKind::Hermes, Some(hermes.url())),
        };
        let token = matches!(self, Self::Machine | Self::Hermes(_)).then(|| secret(TOKEN));
        let Self::Gateway(gateway) = self else { return (RuntimeInput { kind, url, token }, None) };
        let token_of_gateway = secret(&GatewaySettings::default().secret);
        let gateway = GatewayInput { url: gateway.url(), token: token_of_gateway, device_key: None };
        (RuntimeInput { kind, url, token }, Some(gateway))
    }

    /// The variables of the agent's next run. A sidecar is given none.
    pub(super) fn live(&self, machine: &Machine, agent: AgentId) -> BTreeMap<String, String> {
        let mut live = match self {
            Self::Machine => machine.env(agent),
            Self::Sidecar(_) => BTreeMap::new(),
            Self::Gateway(gateway) => gateway.environment(),
            Self::Hermes(hermes) => hermes.lines(),
        };
        // A Hermes is left with an empty line where it had a value.
        live.retain(|_, value| !value.is_empty());
        live
    }

    /// Whether exactly this many integrations with this many variables in all are there.
    pub(super) fn holds(&self, machine: &Machine, agent: AgentId, integrations: usize, variables: usize) -> bool {
        match self {
            Self::Sidecar(sidecar) => sidecar.integrations().len() == integrations,
            _ => self.live(machine, agent).len() == variables,
        }
    }
}
