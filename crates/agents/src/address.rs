//! Which addresses a runtime or gateway may have.

use nora_kernel::address::{Endpoint, InvalidEndpoint, NetworkPolicy, Scheme, is_web_port};

/// What an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `runtime.url`.
    Runtime,
    /// `gateway.url`.
    Gateway,
}

impl Place {
    /// The JSON Pointer of the address in a request.
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::Runtime => "/runtime/url",
            Self::Gateway => "/gateway/url",
        }
    }
}

/// Why an address was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressProblem {
    /// It is no URL of the right kind.
    #[error("{} {reason}", .place.pointer())]
    Invalid {
        /// Which address.
        place: Place,
        /// What is wrong with it.
        reason: InvalidEndpoint,
    },
    /// Its port is not one HTTP is spoken to on.
    #[error("{} must use port 80, 443, or one from 1024 up", .0.pointer())]
    Port(Place),
    /// It is an address literal outside the networks runtimes may live in.
    #[error("{} lies outside the networks that runtimes may live in (NORA_RUNTIME_NETWORKS)", .0.pointer())]
    OutsideNetworks(Place),
    /// It is a public address without TLS.
    #[error("{} is a public address and needs TLS", .0.pointer())]
    NeedsTls(Place),
}

/// Checks addresses by their form. A name's addresses are checked again on every connection.
#[derive(Debug, Clone)]
pub struct AddressRules {
    /// Where runtimes may live.
    pub policy: NetworkPolicy,
}

impl AddressRules {
    /// Parses and checks an address.
    pub fn check(&self, place: Place, text: &str) -> Result<Endpoint, AddressProblem> {
        let scheme = match place {
            Place::Runtime => Scheme::Http,
            Place::Gateway => Scheme::WebSocket,
        };
        let endpoint = Endpoint::parse(text, scheme).map_err(|reason| AddressProblem::Invalid { place, reason })?;
        if !is_web_port(endpoint.port()) {
            return Err(AddressProblem::Port(place));
        }
        let Some(literal) = endpoint.literal() else { return Ok(endpoint) };
        if !self.policy.permits(literal) {
            Err(AddressProblem::OutsideNetworks(place))
        } else if !endpoint.is_tls() && !self.policy.permits_plaintext(literal) {
            Err(AddressProblem::NeedsTls(place))
        } else {
            Ok(endpoint)
        }
    }
}
