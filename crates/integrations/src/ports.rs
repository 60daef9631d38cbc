//! What this crate needs from the outside.

mod ledger;
mod runtime;
mod shapes;
mod store;
mod sync;
mod tests;

pub use ledger::{Ledger, NotRecorded, OwnedVariable};
pub use runtime::{
    Applied, FailureClass, GatewayAddress, Health, Push, PushError, PushedIntegration, RuntimeAddress, RuntimeClient,
    Variable, VariableState,
};
pub use shapes::{ShapeStore, Shapes};
pub use store::{
    InsertError, IntegrationStore, IntegrationUpdate, NewIntegration, Removal, ResealedSecrets, UpdateError,
};
pub use sync::{
    Agreed, Awaited, CheckedTarget, Claim, Completion, Failure, Held, RemovalRecord, Role, Snapshot, SyncRecord,
    SyncStore, Task, Unconfirmed,
};
pub use tests::TestContexts;
