//! Who asks.

use std::fmt;

use uuid::Uuid;

use crate::audit::Actor;
use crate::{Scope, Scopes, Workspace};

/// The id of one request, for logs, audit lines and problem answers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Wraps a UUID.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// The UUID itself.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(formatter)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RequestId({})", self.0.as_hyphenated())
    }
}

/// Another workspace was named by a caller that is no admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("only admin may name another workspace")]
pub struct WorkspaceForbidden;

/// An authenticated caller and the request it makes.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who the audit trail names.
    pub actor: Actor,
    /// The one workspace whose objects exist for this caller.
    pub workspace: Workspace,
    /// What it may do.
    pub scopes: Scopes,
    /// The request.
    pub request: RequestId,
}

/// Whose objects exist for a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// One workspace's. Everybody else's are absent, not forbidden.
    Workspace(Workspace),
    /// Everybody's.
    Everything,
}

impl Reach {
    /// Whether objects of `workspace` exist within this reach.
    pub fn includes(&self, workspace: &Workspace) -> bool {
        match self {
            Self::Workspace(own) => own == workspace,
            Self::Everything => true,
        }
    }
}

impl Caller {
    /// Whose objects exist for this caller: its workspace's, or everybody's for `admin`.
    pub fn reach(&self) -> Reach {
        if self.is_admin() { Reach::Everything } else { Reach::Workspace(self.workspace.clone()) }
    }

    /// The workspace a creating or listing request means: the one it names, if the caller may name one, else its own.
    ///
    /// # Errors
    ///
    /// [`WorkspaceForbidden`] if another workspace is named and the caller is no admin.
    pub fn workspace_for(&self, named: Option<Workspace>) -> Result<Workspace, WorkspaceForbidden> {
        match named {
            Some(named) if named == self.workspace || self.is_admin() => Ok(named),
            Some(_) => Err(WorkspaceForbidden),
            None => Ok(self.workspace.clone()),
        }
    }

    /// Whether `admin` was granted: it may name another workspace when it creates or lists.
    pub fn is_admin(&self) -> bool {
        self.scopes.contains(Scope::Admin)
    }
}
