//! From the use cases' refusals to problems.

use nora_integrations::{ChangeError, ConnectError, RemoveError, SecretsError};

use crate::problem::{ErrorCode, Problem};
use crate::request::{agent_not_found, integration_not_found};

impl From<ConnectError> for Problem {
    fn from(error: ConnectError) -> Self {
        let body = |code, pointer| Self::at_pointer(code, pointer, &error);
        match error {
            ConnectError::AgentNotFound => agent_not_found(),
            ConnectError::ProviderMissing => body(ErrorCode::ProviderMissing, "/provider"),
            ConnectError::ProviderUnknown => body(ErrorCode::ProviderUnknown, "/provider"),
            ConnectError::ProviderDisabled => body(ErrorCode::ProviderDisabled, "/provider"),
            ConnectError::TokenMissing => body(ErrorCode::TokenMissing, "/token"),
            ConnectError::Exists(id) => {
                Self::new(ErrorCode::IntegrationExists, format!("{error}: it is {id}")).existing(id)
            }
            ConnectError::IdempotencyTaken(_) => Self::new(ErrorCode::IdempotencyInProgress, error.to_string()),
            ConnectError::Seal(error) => error.into(),
            ConnectError::Unavailable(error) => error.into(),
            ConnectError::Invalid(violations) => {
                let detail = "the configuration is not valid for this provider; `errors` says where";
                Self::violations(ErrorCode::ConfigInvalid, detail, violations)
            }
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::NotFound => integration_not_found(),
            ChangeError::ProviderDisabled => Self::new(ErrorCode::ProviderDisabled, error.to_string()),
            ChangeError::Invalid(violations) => ConnectError::Invalid(violations).into(),
            ChangeError::SecretRequired(violations) => {
                let detail = "changing where credentials are sent needs every secret again; `errors` names them";
                Self::violations(ErrorCode::SecretRequired, detail, violations)
            }
            ChangeError::Conflict => Self::new(ErrorCode::ChangeConflict, error.to_string()),
            ChangeError::Seal(error) => error.into(),
            ChangeError::Open(SecretsError::Unreadable) => {
                Self::new(ErrorCode::SecretRequired, "the kept secrets do not open any more; send every secret again")
            }
            ChangeError::Open(SecretsError::Unavailable(_)) => Self::passing(error),
            ChangeError::Unavailable(error) => error.into(),
        }
    }
}

impl From<RemoveError> for Problem {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::NotFound => integration_not_found(),
            RemoveError::Unavailable(error) => error.into(),
        }
    }
}
