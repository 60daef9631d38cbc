//! What a key or token may do.

use std::fmt;
use std::str::FromStr;

/// The text names no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such scope")]
pub struct UnknownScope;

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// One right. A `:write` scope does not imply its `:read`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Scope {
            $($(#[$doc])* $name),+
        }

        impl Scope {
            /// Every scope, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The scope's name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            const fn bit(self) -> u16 {
                let mut bit = 1;
                $(
                    if matches!(self, Self::$name) {
                        return bit;
                    }
                    bit <<= 1;
                )+
                bit
            }
        }
    };
}

scopes! {
    /// See an agent's integrations and MCP servers.
    IntegrationsRead = "integrations:read",
    /// Connect, change, test and remove integrations; choose MCP servers; say where credentials are sent.
    IntegrationsWrite = "integrations:write",
    /// See agents and their sync state.
    AgentsRead = "agents:read",
    /// Register, change and delete agents.
    AgentsWrite = "agents:write",
    /// See webhook channels and events.
    ChannelsRead = "channels:read",
    /// Create, change and delete webhook channels; replay events.
    ChannelsWrite = "channels:write",
    /// See API keys.
    KeysRead = "keys:read",
    /// Create and revoke API keys.
    KeysWrite = "keys:write",
    /// Read the audit trail.
    AuditRead = "audit:read",
    /// Everything, in every workspace it names.
    Admin = "admin",
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(UnknownScope)
    }
}

/// A set of scopes.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u16);

impl Scopes {
    /// No scope at all.
    pub const NONE: Self = Self(0);

    /// Whether `scope` itself is in the set (`admin` is not expanded).
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether a holder of this set may do what `scope` allows: it holds it, or `admin`.
    pub const fn allow(self, scope: Scope) -> bool {
        self.contains(scope) || self.contains(Scope::Admin)
    }

    /// Whether a holder of this set may do everything a holder of `other` may.
    pub fn cover(self, other: Self) -> bool {
        other.iter().all(|scope| self.allow(scope))
    }

    /// The set with `scope` in it.
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// The set with `scope` not in it.
    #[must_use]
    pub const fn without(self, scope: Scope) -> Self {
        Self(self.0 & !scope.bit())
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes, in the order of the contract.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.contains(*scope))
    }

    /// Parses names separated by spaces and ignores those this service does not know, as RFC 6749 section 3.3 has it.
    pub fn from_known(text: &str) -> Self {
        text.split_ascii_whitespace().filter_map(|name| name.parse().ok()).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Display for Scopes {
    /// The names, separated by spaces.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_a_bit_and_a_name_of_its_own() {
        let all: Scopes = Scope::ALL.iter().copied().collect();
        assert_eq!(all.iter().count(), Scope::ALL.len());
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(*scope));
        }
    }

    #[test]
    fn write_does_not_imply_read_and_admin_implies_all() {
        let writer = Scopes::NONE.with(Scope::AgentsWrite);
        assert!(!writer.allow(Scope::AgentsRead));
        let admin = Scopes::NONE.with(Scope::Admin);
        assert!(Scope::ALL.iter().all(|scope| admin.allow(*scope)));
        assert!(!writer.cover(admin));
    }
}
