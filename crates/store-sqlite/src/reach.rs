//! Whose rows a statement may see.

use nora_kernel::Reach;

/// A reach as two values that every statement binds, so that its text is the same for everybody.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    pub(crate) workspace: String,
    pub(crate) everything: bool,
}

impl From<&Reach> for Within {
    fn from(reach: &Reach) -> Self {
        match reach {
            Reach::Workspace(workspace) => Self { workspace: workspace.to_string(), everything: false },
            Reach::Everything => Self { workspace: String::new(), everything: true },
        }
    }
}

/// The condition that a row with this column for its workspace lies within the reach.
macro_rules! within {
    ($column:expr, $reach:expr) => {
        $column.eq($reach.workspace.as_str()).or($reach.everything.into_sql::<diesel::sql_types::Bool>())
    };
}

pub(crate) use within;
