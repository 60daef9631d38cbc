//! Reading the audit trail.

use std::sync::Arc;

use nora_kernel::audit::AuditLine;
use nora_kernel::{Page, PageRequest, Unavailable, Workspace};

use crate::ports::AuditStore;

/// Reads the audit trail.
#[derive(Clone)]
pub struct Trail {
    /// Where lines are kept.
    pub store: Arc<dyn AuditStore>,
}

impl Trail {
    /// A workspace's lines, newest first.
    pub async fn list(&self, workspace: &Workspace, page: PageRequest) -> Result<Page<AuditLine>, Unavailable> {
        self.store.list(workspace, page).await
    }
}
