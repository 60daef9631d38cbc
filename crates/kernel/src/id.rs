//! Typed UUIDs: an agent's id cannot be passed where an integration's is wanted.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The text is not a hyphenated UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a hyphenated UUID")]
pub struct ParseIdError;

const HYPHENATED_LENGTH: usize = 36;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID of any version.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Takes the hyphenated form only: braces, URNs and bare hexadecimal are refused.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                if text.len() != HYPHENATED_LENGTH {
                    return Err(ParseIdError);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError)
            }
        }
    };
}

typed_id! {
    /// An agent.
    AgentId
}
typed_id! {
    /// One connection of an agent to a provider.
    IntegrationId
}
typed_id! {
    /// An API key's record (not the key).
    ApiKeyId
}
typed_id! {
    /// A line of the audit trail.
    AuditId
}
typed_id! {
    /// A place credentials are pushed to: an agent's runtime at one address.
    TargetId
}
typed_id! {
    /// A webhook channel.
    ChannelId
}
typed_id! {
    /// One secret of a webhook channel.
    ChannelSecretId
}
typed_id! {
    /// A webhook event.
    EventId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hyphenated_form_is_an_id() {
        let text = "a1b2c3d4-e5f6-7890-abcd-ef1234567890";
        assert_eq!(text.parse::<AgentId>().map(|id| id.to_string()), Ok(text.to_owned()));
        for refused in ["", "a1b2c3d4e5f67890abcdef1234567890", "{a1b2c3d4-e5f6-7890-abcd-ef1234567890}", "../etc"] {
            assert_eq!(refused.parse::<AgentId>(), Err(ParseIdError), "{refused}");
        }
    }
}
