//! The plain part of YAML, for credentials that come as a file of it.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

const LONGEST: usize = 256 * 1024;
const DEEPEST: usize = 16;
const MOST_NODES: usize = 16_384;

const NOT_YAML: &str = "must be a YAML document";
const TOO_LARGE: &str = "is too large or too deep";
const NOT_PLAIN: &str = "must be plain YAML: no anchors, aliases, tags or merge keys";
const REPEATED: &str = "must not hold a key twice";
const SEVERAL: &str = "must be one YAML document, not several";

/// Reads one document. Every scalar that is not null is a text, whatever other type YAML would see in it.
///
/// What programs read differently (repeated and merged keys) is refused, and so is what makes much of little (aliases).
///
/// ```
/// use nora_provider_sdk::yaml;
///
/// let file = yaml::parse("clouds:\n  main: {region: eu1, port: 5000}\n")?;
/// assert_eq!(file.pointer("/clouds/main/port").and_then(|port| port.as_str()), Some("5000"));
/// assert_eq!(yaml::parse("a: 1\na: 2"), Err("must not hold a key twice"));
/// # Ok::<(), &str>(())
/// ```
///
/// # Errors
///
/// What to change. It repeats nothing of the document.
pub fn parse(text: &str) -> Result<Value, &'static str> {
    if text.len() > LONGEST {
        return Err(TOO_LARGE);
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        // The parser's error may quote the document.
        let (event, _) = event.map_err(|_| NOT_YAML)?;
        builder.take(event)?;
    }
    builder.document.ok_or(NOT_YAML)
}

/// A collection that has begun.
enum Open {
    Sequence(Vec<Value>),
    /// The key is the one whose value comes next.
    Mapping(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    nodes: usize,
    document: Option<Value>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Alias(_) => Err(NOT_PLAIN),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(anchor == 0 && tag.is_none())?;
                self.put(scalar(&text, style))
            }
            Event::SequenceStart(anchor, tag) => self.begin(Open::Sequence(Vec::new()), anchor == 0 && tag.is_none()),
            Event::MappingStart(anchor, tag) => {
                self.begin(Open::Mapping(Map::new(), None), anchor == 0 && tag.is_none())
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open::Sequence(items)) => self.put(Value::Array(items)),
                Some(Open::Mapping(members, None)) => self.put(Value::Object(members)),
                Some(Open::Mapping(_, Some(_))) | None => Err(NOT_YAML),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {
                Ok(())
            }
        }
    }

    fn count(&mut self, is_plain: bool) -> Result<(), &'static str> {
        self.nodes += 1;
        match is_plain {
            false => Err(NOT_PLAIN),
            true if self.nodes > MOST_NODES => Err(TOO_LARGE),
            true => Ok(()),
        }
    }

    fn begin(&mut self, collection: Open, is_plain: bool) -> Result<(), &'static str> {
        self.count(is_plain)?;
        if self.open.len() >= DEEPEST {
            return Err(TOO_LARGE);
        }
        self.open.push(collection);
        Ok(())
    }

    fn put(&mut self, value: Value) -> Result<(), &'static str> {
        match self.open.last_mut() {
            None if self.document.is_some() => Err(SEVERAL),
            None => {
                self.document = Some(value);
                Ok(())
            }
            Some(Open::Sequence(items)) => {
                items.push(value);
                Ok(())
            }
            Some(Open::Mapping(members, key)) => match (key.take(), value) {
                (Some(key), value) => {
                    members.insert(key, value);
                    Ok(())
                }
                (None, Value::String(name)) if name == "<<" => Err(NOT_PLAIN),
                (None, Value::String(name)) if members.contains_key(&name) => Err(REPEATED),
                (None, Value::String(name)) => {
                    *key = Some(name);
                    Ok(())
                }
                (None, _) => Err(NOT_YAML),
            },
        }
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    let is_null = style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    if is_null { Value::Null } else { Value::String(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_scalar_is_a_text_or_null() {
        let document = "a: 1\nb: true\nc: ~\nd:\ne: \"null\"\nf: |\n  x\n  y\ng: [x, {h: 'i: j'}]\n";
        let expected = json!({
            "a": "1", "b": "true", "c": null, "d": null, "e": "null", "f": "x\ny\n", "g": ["x", { "h": "i: j" }],
        });
        assert_eq!(parse(document).unwrap(), expected);
        assert_eq!(parse(r#"{"kind": "Config"}"#).unwrap(), json!({ "kind": "Config" }));
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for (text, expected) in [
            ("a: &x 1\nb: 2", NOT_PLAIN),
            ("a: &x [1]\nb: *x", NOT_PLAIN),
            ("<<: {a: 1}", NOT_PLAIN),
            ("a: !!binary eA==", NOT_PLAIN),
            ("a: !include b", NOT_PLAIN),
            ("a: 1\na: 2", REPEATED),
            ("a: 1\n---\nb: 2", SEVERAL),
            ("? [a]\n: 1", NOT_YAML),
            ("a: [1", NOT_YAML),
            ("a: \"\\q\"", NOT_YAML),
            ("", NOT_YAML),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn what_is_large_or_deep_is_refused() {
        assert_eq!(parse(&"x".repeat(LONGEST + 1)), Err(TOO_LARGE));
        assert_eq!(parse(&format!("[{}]", "x,".repeat(MOST_NODES))), Err(TOO_LARGE));
        assert_eq!(parse(&"[".repeat(DEEPEST + 1)), Err(TOO_LARGE));
        assert_eq!(parse(&"- ".repeat(100_000)), Err(TOO_LARGE));
        let nested = format!("{}x{}", "[".repeat(DEEPEST), "]".repeat(DEEPEST));
        assert!(parse(&nested).is_ok());
    }
}
