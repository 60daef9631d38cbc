//! Where a page starts.

use nora_kernel::{Cursor, Timestamp};
use uuid::Uuid;

use crate::value::{Id, Time};

/// Only rows behind this place are wanted. The first page starts behind the last place there is.
pub(crate) struct Behind {
    pub(crate) at: Time,
    pub(crate) id: Id,
}

impl From<Option<Cursor>> for Behind {
    fn from(cursor: Option<Cursor>) -> Self {
        match cursor {
            Some(Cursor { at, id }) => Self { at: Time(at), id: Id(id) },
            None => Self { at: Time(Timestamp::from_microseconds(i64::MAX)), id: Id(Uuid::max()) },
        }
    }
}
