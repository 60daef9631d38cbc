#![doc = include_str!("../README.md")]

mod assemble;
mod backoff;
mod change;
mod check;
mod connect;
mod connections;
mod integration;
mod ledger;
mod limiter;
mod lines;
pub mod ports;
mod reconcile;
mod secrets;
mod shapes;
mod status;
mod test;

pub use assemble::{Assembly, Conflict, assemble, variable_names};
pub use backoff::backoff;
pub use change::{ChangeError, ChangeIntegration};
pub use check::Checked;
pub use connect::{AnswerIntegration, Connect, ConnectError};
pub use connections::{Connections, RemoveError};
pub use integration::{INTEGRATION_COLUMN, INTEGRATION_TABLE, Integration, Status, StoredIntegration};
pub use limiter::{Limited, TestLimiter};
pub use reconcile::{Reconciler, Step};
pub use secrets::SecretsError;
pub use shapes::adopt as adopt_shapes;
pub use status::{LastError, Removed, SyncState, SyncStatus, SyncView, VariableView};
pub use test::{Candidate, Report, TestError};
