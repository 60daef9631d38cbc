//! Which network addresses may be called, and the URLs that lead there.
//!
//! Default deny: an address is public only if it lies in a block the IANA registries call global unicast, after
//! every known way to wrap an IPv4 address in an IPv6 one has been refused or undone.

mod endpoint;
mod policy;
mod port;
mod table;

pub use endpoint::{Endpoint, InvalidEndpoint, Scheme};
pub use policy::{InvalidNetworks, NetworkPolicy, Networks};
pub use port::is_web_port;
pub use table::{is_global, is_metadata};
