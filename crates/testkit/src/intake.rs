//! An intake that groups nothing.

use std::sync::Arc;

use async_trait::async_trait;
use nora_webhooks::ports::{Appended, Inbox, Intake, IntakeError, NewEvent};

/// Puts each event into an inbox by itself.
#[derive(Clone)]
pub struct DirectIntake(pub Arc<dyn Inbox>);

#[async_trait]
impl Intake for DirectIntake {
    async fn keep(&self, event: NewEvent) -> Result<Appended, IntakeError> {
        let appended = self.0.append(&[event]).await?;
        Ok(appended[0])
    }
}
