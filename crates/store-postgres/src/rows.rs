//! Between columns and the domain's types.

use std::str::FromStr;

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use nora_kernel::address::{Endpoint, Scheme};
use nora_kernel::{Reach, Timestamp};
use serde_json::{Map, Value};

use crate::error::StoreError;

/// A row with one number.
#[derive(Debug, QueryableByName)]
pub(crate) struct Number {
    #[diesel(sql_type = BigInt)]
    pub(crate) value: i64,
}

/// Whether a statement that returns one row for each thing it changed changed any.
pub(crate) fn any(rows: &[Number]) -> bool {
    rows.iter().any(|row| row.value > 0)
}

/// The workspace that a reach ends at; `None` is everywhere.
pub(crate) fn workspace_of(reach: &Reach) -> Option<&str> {
    match reach {
        Reach::Workspace(workspace) => Some(workspace.as_str()),
        Reach::Everything => None,
    }
}

pub(crate) fn parse<T: FromStr>(column: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(column))
}

pub(crate) fn known<T>(column: &'static str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or(StoreError::Corrupt(column))
}

pub(crate) fn time(microseconds: Option<i64>) -> Option<Timestamp> {
    microseconds.map(Timestamp::from_microseconds)
}

pub(crate) fn endpoint(column: &'static str, text: &str, scheme: Scheme) -> Result<Endpoint, StoreError> {
    Endpoint::parse(text, scheme).map_err(|_| StoreError::Corrupt(column))
}

/// A count as the domain knows it.
pub(crate) fn count(column: &'static str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt(column))
}

/// A count as a column holds it. Half the range is kept free: a peer's claim to hold an absurd generation must not
/// make the next one overflow.
pub(crate) fn number(count: u64) -> i64 {
    const LARGEST: i64 = i64::MAX / 2;
    i64::try_from(count).map_or(LARGEST, |number| number.min(LARGEST))
}

pub(crate) fn digest(column: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|_| StoreError::Corrupt(column))
}

pub(crate) fn object_text(object: &Map<String, Value>) -> String {
    // A map of JSON values always has a text.
    serde_json::to_string(object).unwrap_or_default()
}

pub(crate) fn object(column: &'static str, text: &str) -> Result<Map<String, Value>, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Corrupt(column))
}

/// A JSON array of names.
pub(crate) fn names_text<T: AsRef<str>>(names: &[T]) -> String {
    let names: Vec<Value> = names.iter().map(|name| Value::from(name.as_ref())).collect();
    Value::from(names).to_string()
}

pub(crate) fn names<T: FromStr>(column: &'static str, text: &str) -> Result<Vec<T>, StoreError> {
    let names: Vec<String> = serde_json::from_str(text).map_err(|_| StoreError::Corrupt(column))?;
    names.iter().map(|name| parse(column, name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absurd_count_leaves_room_to_count_on() {
        assert_eq!(number(7), 7);
        assert!(number(u64::MAX).checked_add(1).is_some());
        assert!(number(u64::try_from(i64::MAX).unwrap()).checked_add(1).is_some());
    }
}
