//! What this crate needs from the outside.

mod channels;
mod deliveries;
mod events;
mod inbox;
mod intake;
mod runtime;

pub use channels::{
    ChangeChannelError, ChannelOwner, ChannelStore, ChannelUpdate, Enrolment, InsertChannelError, SecretsUpdate,
};
pub use deliveries::{Backlog, Delivery, DeliveryClaim, DeliveryEnd, DeliveryFailure, DeliveryStore, Held};
pub use events::{EventFilter, EventStore, ReplayRange};
pub use inbox::{Appended, Inbox, NewEvent};
pub use intake::{Intake, IntakeError};
pub use runtime::{DeliveryError, DeliveryFailureClass, Message, Recipient, RuntimeDelivery};
