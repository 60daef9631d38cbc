//! JSON, strictly: one value, no duplicate keys, bounded depth, found in one pass.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::wipe::wipe;

/// Why a text is not acceptable JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It is no JSON value, or has something behind one.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column in bytes.
        column: usize,
    },
    /// An object has a key twice.
    DuplicateKey {
        /// Where: a JSON Pointer.
        pointer: String,
    },
    /// Arrays and objects are nested too deeply.
    TooDeep,
}

/// Parses one value. `depth` is how deep arrays and objects may be nested.
pub(crate) fn parse(text: &[u8], depth: usize) -> Result<Value, Malformed> {
    let trouble = Trouble::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Nested { depth, trouble: &trouble }.deserialize(&mut deserializer);
    let whole = value.and_then(|value| match deserializer.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(abandoned(value, error)),
    });
    whole.map_err(|error| trouble.into_malformed(&error))
}

/// What went wrong that the parser itself does not mind. Errors of the parser carry text alone.
#[derive(Default)]
struct Trouble {
    kind: Cell<Option<Kind>>,
    /// The segments of the pointer, innermost first: pushed while the error travels outwards.
    path: RefCell<Vec<String>>,
}

#[derive(Clone, Copy)]
enum Kind {
    DuplicateKey,
    TooDeep,
}

impl Trouble {
    fn report<E: Error>(&self, kind: Kind) -> E {
        self.kind.set(Some(kind));
        E::custom("refused")
    }

    fn came_through(&self, segment: String) {
        self.path.borrow_mut().push(segment);
    }

    fn into_malformed(self, error: &serde_json::Error) -> Malformed {
        match self.kind.get() {
            Some(Kind::DuplicateKey) => Malformed::DuplicateKey { pointer: pointer(&self.path.into_inner()) },
            Some(Kind::TooDeep) => Malformed::TooDeep,
            None => Malformed::Syntax { line: error.line(), column: error.column() },
        }
    }
}

/// A pointer from segments, innermost first. A client made them up, so a long one is cut at a whole segment.
fn pointer(path: &[String]) -> String {
    const LONGEST: usize = 256;
    let mut pointer = String::new();
    for segment in path.iter().rev() {
        let escaped = escape(segment);
        if pointer.len() + escaped.len() >= LONGEST {
            break;
        }
        pointer.push('/');
        pointer.push_str(&escaped);
    }
    pointer
}

/// A segment of a JSON Pointer (RFC 6901).
fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// A value with room for `depth` more levels.
#[derive(Clone, Copy)]
struct Nested<'a> {
    depth: usize,
    trouble: &'a Trouble,
}

impl Nested<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1).ok_or_else(|| self.trouble.report(Kind::TooDeep))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut array = Vec::new();
        loop {
            match items.next_element_seed(inner) {
                Ok(Some(item)) => array.push(item),
                Ok(None) => return Ok(Value::Array(array)),
                Err(error) => {
                    self.trouble.came_through(array.len().to_string());
                    return Err(abandoned(Value::Array(array), error));
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        loop {
            match self.member(inner, &mut members, &object) {
                Ok(Some((key, value))) => object.insert(key, value),
                Ok(None) => return Ok(Value::Object(object)),
                Err(error) => return Err(abandoned(Value::Object(object), error)),
            };
        }
    }
}

impl Nested<'_> {
    /// The next member of an object that has those of `object` already.
    fn member<'de, A: MapAccess<'de>>(
        self,
        inner: Self,
        members: &mut A,
        object: &Map<String, Value>,
    ) -> Result<Option<(String, Value)>, A::Error> {
        let Some(key) = members.next_key::<String>()? else { return Ok(None) };
        if object.contains_key(&key) {
            self.trouble.came_through(key);
            return Err(self.trouble.report(Kind::DuplicateKey));
        }
        match members.next_value_seed(inner) {
            Ok(value) => Ok(Some((key, value))),
            Err(error) => {
                self.trouble.came_through(key);
                Err(error)
            }
        }
    }
}

/// Overwrites what was read before an error made it useless.
fn abandoned<E>(mut value: Value, error: E) -> E {
    wipe(&mut value);
    error
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn nested(open: &str, close: &str, depth: usize) -> String {
        format!("{}0{}", open.repeat(depth), close.repeat(depth))
    }

    #[test]
    fn values_are_what_they_are() {
        let text = br#" {"a": [1, -2, 3.5, "x\n\u00e9", true, null, {}], "b": 123456789012345678901234567890} "#;
        let expected =
            json!({ "a": [1, -2, 3.5, "x\né", true, null, {}], "b": 123_456_789_012_345_678_901_234_567_890.0 });
        assert_eq!(parse(text, 64).unwrap(), expected);
    }

    #[test]
    fn one_value_and_nothing_else() {
        let refused: [&[u8]; 14] = [
            b"",
            b" ",
            b"{",
            b"{} x",
            b"{}{}",
            b"{\"a\":1,}",
            b"{/**/}",
            b"'a'",
            b"NaN",
            b"1e400",
            b"\"\\ud800\"",
            b"\"a\nb\"",
            b"\"\xff\"",
            b"\xef\xbb\xbf{}",
        ];
        for text in refused {
            assert!(matches!(parse(text, 64), Err(Malformed::Syntax { .. })), "{:?}", String::from_utf8_lossy(text));
        }
        assert_eq!(parse(b"{\n  x", 64), Err(Malformed::Syntax { line: 2, column: 3 }));
    }

    #[test]
    fn a_key_stands_once_at_any_depth() {
        let check = |text: &str, pointer: &str| {
            let expected = Malformed::DuplicateKey { pointer: pointer.to_owned() };
            assert_eq!(parse(text.as_bytes(), 64), Err(expected), "{text}");
        };
        check(r#"{"a":1,"a":1}"#, "/a");
        check(r#"{"a":1,"\u0061":2}"#, "/a");
        check(r#"{"x":[0,{"a/b":{"k":1,"k":{}}}]}"#, "/x/1/a~1b/k");
        let long = "k".repeat(400);
        check(&format!(r#"{{"outer":{{"{long}":1,"{long}":1}}}}"#), "/outer");
    }

    #[test]
    fn depth_is_bounded() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            assert!(parse(nested(open, close, 64).as_bytes(), 64).is_ok());
            assert_eq!(parse(nested(open, close, 65).as_bytes(), 64), Err(Malformed::TooDeep));
            assert_eq!(parse(nested(open, close, 100_000).as_bytes(), 64), Err(Malformed::TooDeep));
        }
        assert!(parse(b"0", 0).is_ok());
    }
}
