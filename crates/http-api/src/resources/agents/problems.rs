//! From the use cases' refusals to problems.

use nora_agents::{AddressProblem, ChangeAgentError, CreateAgentError, DeleteAgentError, FindDeviceError};

use crate::problem::{ErrorCode, Problem};
use crate::request::agent_not_found;

impl From<CreateAgentError> for Problem {
    fn from(error: CreateAgentError) -> Self {
        let body = |pointer| Self::at_pointer(ErrorCode::BodyInvalid, pointer, &error);
        match error {
            CreateAgentError::Address(problem) => address(problem),
            CreateAgentError::UrlMissing => body("/runtime/url"),
            CreateAgentError::TokenMissing => body("/runtime/token"),
            CreateAgentError::GatewayMissing => body("/gateway"),
            CreateAgentError::DeviceKeyInvalid => body("/gateway/device_key"),
            CreateAgentError::TokenInvalid(pointer) => body(pointer),
            CreateAgentError::Workspace(error) => error.into(),
            CreateAgentError::AgentExists => Self::new(ErrorCode::AgentExists, error.to_string()),
            CreateAgentError::GatewayTaken => Self::new(ErrorCode::GatewayTaken, error.to_string()),
            CreateAgentError::IdempotencyTaken(_) => Self::new(ErrorCode::IdempotencyInProgress, error.to_string()),
            CreateAgentError::Seal(error) => error.into(),
            CreateAgentError::DeviceKey(_) => Self::fault(error),
            CreateAgentError::Unavailable(error) => error.into(),
        }
    }
}

fn address(problem: AddressProblem) -> Problem {
    match problem {
        AddressProblem::Invalid { place, reason } => {
            Problem::at_pointer(ErrorCode::BodyInvalid, place.pointer(), reason)
        }
        AddressProblem::Port(place) => Problem::at_pointer(ErrorCode::BodyInvalid, place.pointer(), problem),
        AddressProblem::OutsideNetworks(place) | AddressProblem::NeedsTls(place) => {
            Problem::at_pointer(ErrorCode::RuntimeAddressRefused, place.pointer(), problem)
        }
    }
}

impl From<ChangeAgentError> for Problem {
    fn from(error: ChangeAgentError) -> Self {
        match error {
            ChangeAgentError::NotFound => agent_not_found(),
            ChangeAgentError::TokenRequired(place) => {
                Self::at_pointer(ErrorCode::TokenRequired, &format!("/{place}/token"), &error)
            }
            ChangeAgentError::Place(error) => error.into(),
            ChangeAgentError::Conflict => Self::new(ErrorCode::ChangeConflict, error.to_string()),
            ChangeAgentError::Unreadable(ref cause) if cause.may_open_later() => Self::passing(error),
            ChangeAgentError::Unreadable(_) => Self::new(ErrorCode::TokenRequired, error.to_string()),
            ChangeAgentError::Seal(error) => error.into(),
            ChangeAgentError::Unavailable(error) => error.into(),
        }
    }
}

impl From<FindDeviceError> for Problem {
    fn from(error: FindDeviceError) -> Self {
        match error {
            FindDeviceError::NotFound => agent_not_found(),
            FindDeviceError::NoGateway => Self::new(ErrorCode::GatewayNotFound, error.to_string()),
            FindDeviceError::Unreadable(ref cause) if cause.may_open_later() => Self::passing(error),
            FindDeviceError::Unreadable(_) => Self::fault(error),
            FindDeviceError::Unavailable(error) => error.into(),
        }
    }
}

impl From<DeleteAgentError> for Problem {
    fn from(error: DeleteAgentError) -> Self {
        match error {
            DeleteAgentError::NotFound => agent_not_found(),
            DeleteAgentError::Unavailable(error) => error.into(),
        }
    }
}
