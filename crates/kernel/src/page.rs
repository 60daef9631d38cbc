//! Pages of long lists, newest first.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::Timestamp;

/// How many items a page holds: 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit(u8);

/// The limit is not a number from 1 to 200.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("limit must be a number from 1 to 200")]
pub struct InvalidLimit;

impl PageLimit {
    /// The limit of a request that names none.
    pub const DEFAULT: Self = Self(50);
    /// The largest limit.
    pub const MAX: Self = Self(200);

    /// The number of items.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl FromStr for PageLimit {
    type Err = InvalidLimit;

    fn from_str(text: &str) -> Result<Self, InvalidLimit> {
        match text.parse() {
            Ok(limit @ 1..=200) => Ok(Self(limit)),
            _ => Err(InvalidLimit),
        }
    }
}

/// The last item of a page; the next page starts behind it.
///
/// Lists are ordered by creation, newest first, and by id where two were created at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// When the item was created.
    pub at: Timestamp,
    /// The item's id.
    pub id: Uuid,
}

/// The text is not a cursor this service gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of this list")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    /// Opaque and fit for a URL.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 24];
        let (time, id) = bytes.split_at_mut(8);
        time.copy_from_slice(&self.at.as_microseconds().to_be_bytes());
        id.copy_from_slice(self.id.as_bytes());
        formatter.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let (time, id) = bytes.split_first_chunk::<8>().ok_or(InvalidCursor)?;
        let id = Uuid::from_slice(id).map_err(|_| InvalidCursor)?;
        Ok(Self { at: Timestamp::from_microseconds(i64::from_be_bytes(*time)), id })
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// At most this many items.
    pub limit: PageLimit,
    /// Only items behind this one; from the newest on if `None`.
    pub after: Option<Cursor>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { limit: PageLimit::DEFAULT, after: None }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, newest first.
    pub items: Vec<T>,
    /// Where the next page starts, if there is one.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts a page from `items`, which must hold one more than the limit where there is more to come.
    pub fn cut(mut items: Vec<T>, limit: PageLimit, cursor: impl Fn(&T) -> Cursor) -> Self {
        let limit = usize::from(limit.get());
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text() {
        let cursor = Cursor { at: Timestamp::from_microseconds(1_700_000_000_123_456), id: Uuid::from_u128(7) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for refused in ["", "x", "AAAA", "====", &"A".repeat(200)] {
            assert_eq!(refused.parse::<Cursor>(), Err(InvalidCursor), "{refused}");
        }
    }

    #[test]
    fn a_page_says_whether_there_is_more() {
        let cursor = |number: &u128| Cursor { at: Timestamp::from_microseconds(0), id: Uuid::from_u128(*number) };
        let limit = PageLimit(2);
        assert_eq!(Page::cut(vec![3, 2], limit, cursor).next, None);
        let page = Page::cut(vec![3, 2, 1], limit, cursor);
        assert_eq!((page.items, page.next), (vec![3, 2], Some(cursor(&2))));
    }

    #[test]
    fn limits_lie_between_1_and_200() {
        assert_eq!("200".parse(), Ok(PageLimit(200)));
        for refused in ["0", "201", "-1", "1.5", "", "99999999999999999999"] {
            assert_eq!(refused.parse::<PageLimit>(), Err(InvalidLimit), "{refused}");
        }
    }
}
