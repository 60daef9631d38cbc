//! From the use cases' refusals to problems.

use nora_webhooks::{AddSecretError, ChangeChannelError, ChannelError, CreateChannelError, EventError, Unguarded};

use crate::problem::{ErrorCode, Problem};
use crate::request::{agent_not_found, channel_not_found, event_not_found};

const INVALID: &str = "the configuration is not valid for this type of channel; `errors` says where";

impl From<ChannelError> for Problem {
    fn from(error: ChannelError) -> Self {
        match error {
            ChannelError::NotFound => channel_not_found(),
            ChannelError::Unavailable(error) => error.into(),
        }
    }
}

impl From<CreateChannelError> for Problem {
    fn from(error: CreateChannelError) -> Self {
        match error {
            CreateChannelError::AgentNotFound => agent_not_found(),
            CreateChannelError::TypeMissing => Self::at_pointer(ErrorCode::ChannelTypeMissing, "/type", error),
            CreateChannelError::TypeUnknown => Self::at_pointer(ErrorCode::ChannelTypeUnknown, "/type", error),
            CreateChannelError::RuntimeCannotReceive => Self::new(ErrorCode::RuntimeCannotReceive, error.to_string()),
            CreateChannelError::Unguarded(unguarded) => unguarded.into(),
            CreateChannelError::Invalid(violations) => Self::violations(ErrorCode::ConfigInvalid, INVALID, violations),
            CreateChannelError::Exists => Self::new(ErrorCode::ChannelExists, error.to_string()),
            CreateChannelError::IdempotencyTaken(_) => Self::new(ErrorCode::IdempotencyInProgress, error.to_string()),
            CreateChannelError::Seal(error) => error.into(),
            CreateChannelError::Unavailable(error) => error.into(),
        }
    }
}

impl From<Unguarded> for Problem {
    fn from(unguarded: Unguarded) -> Self {
        let pointer = format!("/config/{}", unguarded.field);
        Self::at_pointer(ErrorCode::VerificationRequired, &pointer, unguarded)
    }
}

impl From<ChangeChannelError> for Problem {
    fn from(error: ChangeChannelError) -> Self {
        match error {
            ChangeChannelError::NotFound => channel_not_found(),
            ChangeChannelError::TypeDisabled => Self::new(ErrorCode::ProviderDisabled, error.to_string()),
            ChangeChannelError::Unguarded(unguarded) => unguarded.into(),
            ChangeChannelError::Invalid(violations) => Self::violations(ErrorCode::ConfigInvalid, INVALID, violations),
            ChangeChannelError::Conflict => Self::new(ErrorCode::ChangeConflict, error.to_string()),
            ChangeChannelError::Seal(error) => error.into(),
            ChangeChannelError::Unavailable(error) => error.into(),
        }
    }
}

impl From<AddSecretError> for Problem {
    fn from(error: AddSecretError) -> Self {
        match error {
            AddSecretError::NotFound => channel_not_found(),
            AddSecretError::TypeDisabled => Self::new(ErrorCode::ProviderDisabled, error.to_string()),
            AddSecretError::Invalid(violation) => Self::violations(ErrorCode::ConfigInvalid, INVALID, vec![violation]),
            AddSecretError::Full => Self::new(ErrorCode::SecretsFull, error.to_string()),
            AddSecretError::Conflict => Self::new(ErrorCode::ChangeConflict, error.to_string()),
            AddSecretError::IdempotencyTaken(_) => Self::new(ErrorCode::IdempotencyInProgress, error.to_string()),
            AddSecretError::Seal(error) => error.into(),
            AddSecretError::Unavailable(error) => error.into(),
        }
    }
}

impl From<EventError> for Problem {
    fn from(error: EventError) -> Self {
        match error {
            EventError::ChannelNotFound => channel_not_found(),
            EventError::EventNotFound => event_not_found(),
            EventError::Unavailable(error) => error.into(),
        }
    }
}
