//! Scopes as types.

use nora_kernel::{Scope, Scopes};

/// What a caller must be allowed to do.
pub(crate) trait Requirement: 'static {
    /// The first scope that `held` lacks.
    fn missing(held: Scopes) -> Option<Scope>;
}

/// Any valid token will do.
pub(crate) struct AnyToken;

impl Requirement for AnyToken {
    fn missing(_: Scopes) -> Option<Scope> {
        None
    }
}

macro_rules! requirements {
    ($($name:ident),+ $(,)?) => {$(
        pub(crate) struct $name;

        impl Requirement for $name {
            fn missing(held: Scopes) -> Option<Scope> {
                (!held.allow(Scope::$name)).then_some(Scope::$name)
            }
        }
    )+};
}

requirements!(
    IntegrationsRead,
    IntegrationsWrite,
    AgentsRead,
    AgentsWrite,
    KeysRead,
    KeysWrite,
    AuditRead,
    ChannelsRead,
    ChannelsWrite
);

impl<A: Requirement, B: Requirement> Requirement for (A, B) {
    fn missing(held: Scopes) -> Option<Scope> {
        A::missing(held).or_else(|| B::missing(held))
    }
}
