//! Values out of a JSON body by pointer, without building the document: neither a number too large for us nor depth
//! nor size elsewhere in it is in the way.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// What is at a place in a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// Null, a boolean, a number or a text.
    Scalar(Value),
    /// An object or an array.
    Compound,
}

impl Found {
    /// A text, number or boolean as text.
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Scalar(Value::String(text)) => Some(text),
            Self::Scalar(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Self::Scalar(_) | Self::Compound => None,
        }
    }
}

/// Whether `text` is one JSON value. Its depth is bounded by its size alone.
pub(super) fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What is at `pointer` (RFC 6901) in the document; of a doubled member the last one.
pub(super) fn at(text: &str, pointer: &str) -> Option<Found> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let found = Follow(pointer).deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    found
}

/// Follows the rest of a pointer; an empty one is at its goal.
struct Follow<'p>(&'p str);

impl Follow<'_> {
    fn scalar(&self, value: Value) -> Option<Found> {
        self.0.is_empty().then_some(Found::Scalar(value))
    }

    /// The next step and what is left after it; `None` at the goal.
    fn step(&self) -> Option<(Cow<'_, str>, &str)> {
        let rest = self.0.strip_prefix('/')?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (step, left) = rest.split_at(end);
        let step = if step.contains('~') {
            Cow::Owned(step.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(step)
        };
        Some((step, left))
    }
}

impl<'de> DeserializeSeed<'de> for Follow<'_> {
    type Value = Option<Found>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Follow<'_> {
    type Value = Option<Found>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let step = self.step();
        let mut found = step.is_none().then_some(Found::Compound);
        while let Some(wanted) = map.next_key_seed(Named(step.as_ref().map(|(name, _)| name.as_ref())))? {
            match &step {
                Some((_, left)) if wanted => found = map.next_value_seed(Follow(left))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let step = self.step();
        let mut found = step.is_none().then_some(Found::Compound);
        if let Some((index, left)) = step.as_ref().and_then(|(step, left)| Some((index(step)?, left))) {
            for _ in 0..index {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(None);
                }
            }
            found = items.next_element_seed(Follow(left))?.flatten();
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// An index as RFC 6901 writes it.
fn index(step: &str) -> Option<usize> {
    let plain = step.bytes().all(|byte| byte.is_ascii_digit()) && (step == "0" || !step.starts_with('0'));
    plain.then(|| step.parse().ok()).flatten()
}

/// Whether a member has this name.
struct Named<'n>(Option<&'n str>);

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Named<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text_at(document: &str, pointer: &str) -> Option<String> {
        at(document, pointer).and_then(Found::text)
    }

    #[test]
    fn pointers_lead_where_those_of_serde_json_lead() {
        let document = r#"{"a": {"b": [1, {"c~d/e": "x"}, null, true, 2.5]}, "": "empty", "n": -3, "é": "é\u00e9"}"#;
        let value: Value = serde_json::from_str(document).unwrap();
        for pointer in [
            "",
            "/",
            "/a",
            "/a/b",
            "/a/b/0",
            "/a/b/1",
            "/a/b/1/c~0d~1e",
            "/a/b/2",
            "/a/b/3",
            "/a/b/4",
            "/a/b/5",
            "/n",
            "/a/b/00",
            "/a/b/+1",
            "/a/b/-",
            "/é",
            "/x",
            "/n/x",
            "/a/b/0/x",
            "a",
            "/a/b/99999999999999999999",
        ] {
            let expected = value.pointer(pointer).map(|value| match value {
                Value::Object(_) | Value::Array(_) => Found::Compound,
                scalar => Found::Scalar(scalar.clone()),
            });
            // serde_json takes `+1` for an index; RFC 6901 does not.
            let expected = if pointer == "/a/b/+1" { None } else { expected };
            assert_eq!(at(document, pointer), expected, "{pointer}");
        }
    }

    #[test]
    fn the_rest_of_the_document_is_not_in_the_way() {
        let deep = format!(
            "{{\"id\": \"x\", \"deep\": {}{}, \"n\": 1e131073, \"s\": \"\\ud800\"}}",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(is_json(&deep));
        assert_eq!(text_at(&deep, "/id").as_deref(), Some("x"));
        assert_eq!(text_at(&deep, "/n"), None);
    }

    #[test]
    fn the_last_of_a_doubled_member_counts_and_what_is_no_json_has_nothing() {
        assert_eq!(text_at(r#"{"a": 1, "a": 2}"#, "/a").as_deref(), Some("2"));
        for broken in ["", "{", "{\"a\": 1}x", "{\"a\": 1} {}", "[1,]", "\u{feff}{}"] {
            assert!(!is_json(broken), "{broken}");
            assert_eq!(at(broken, "/a"), None, "{broken}");
        }
        assert_eq!(at("{\"a\": {}}", "/a"), Some(Found::Compound));
        assert_eq!(at("null", ""), Some(Found::Scalar(json!(null))));
    }
}
