#![doc = include_str!("../README.md")]

mod address;
mod agent;
mod change;
mod create;
mod device;
mod directory;
mod lines;
pub mod ports;
mod target;

pub use address::{AddressProblem, AddressRules, Place};
pub use agent::{Agent, AgentName, Gateway, InvalidAgentName, Runtime, RuntimeKind, UnknownRuntimeKind};
pub use change::{ChangeAgent, ChangeAgentError, GatewayChange, Patch, RuntimeChange};
pub use create::{AnswerAgent, CreateAgent, CreateAgentError, GatewayInput, RuntimeInput};
pub use device::{DeviceIdentity, FindDeviceError};
pub use directory::{Agents, DeleteAgentError};
pub use target::{NewTarget, RuntimeSecrets, TARGET_COLUMN, TARGET_TABLE, Target, TargetSecretsError};
