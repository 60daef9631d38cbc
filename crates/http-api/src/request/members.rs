//! Reading the members of a JSON object one by one, and saying everything that is wrong with them at once.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use nora_agents::Patch;
use nora_kernel::Secret;
use serde_json::{Map, Value};

use super::wipe::wipe;
use crate::problem::{ErrorCode, Place, Problem};

/// A body that is an object.
pub(crate) trait FromMembers: Sized {
    /// Takes what it needs. `None` only after a complaint about why.
    fn from_members(members: &mut Members) -> Option<Self>;
}

/// An object that is being taken apart. Members nobody asks for are ignored, and a `null` counts as absent unless it
/// is asked for as such.
///
/// What is not taken is overwritten in memory at the end: it may be a credential under a wrong name.
pub(crate) struct Members {
    object: Map<String, Value>,
    pointer: String,
    complaints: Vec<Place>,
}

impl Drop for Members {
    fn drop(&mut self) {
        self.object.values_mut().for_each(wipe);
    }
}

impl Members {
    /// Reads a whole body.
    pub(crate) fn read<T: FromMembers>(body: Value) -> Result<T, Problem> {
        let object = match body {
            Value::Object(object) => object,
            mut other => {
                wipe(&mut other);
                return Err(invalid(vec![Place::pointer("", "must be an object")]));
            }
        };
        let mut members = Self { object, pointer: String::new(), complaints: Vec::new() };
        let read = T::from_members(&mut members);
        let complaints = std::mem::take(&mut members.complaints);
        read.filter(|_| complaints.is_empty()).ok_or_else(|| invalid(complaints))
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            other => self.mistyped(name, other, "must be a string"),
        }
    }

    /// A text that is nobody's to see.
    pub(crate) fn secret(&mut self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret::new)
    }

    /// A text with a grammar.
    pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => self.complain(name, error.to_string()),
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(flag) => Some(flag),
            other => self.mistyped(name, other, "must be true or false"),
        }
    }

    /// A number of seconds, up to a bound.
    pub(crate) fn seconds(&mut self, name: &str, most: Duration) -> Option<Duration> {
        let value = self.take(name)?;
        match value.as_u64().map(Duration::from_secs).filter(|seconds| *seconds <= most) {
            Some(seconds) => Some(seconds),
            None => self.complain(name, format!("must be a whole number of seconds, {} at most", most.as_secs())),
        }
    }

    /// An object whose members somebody else knows.
    pub(crate) fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(object) => Some(object),
            other => self.mistyped(name, other, "must be an object"),
        }
    }

    /// An object whose members are known here.
    pub(crate) fn nested<T: FromMembers>(&mut self, name: &str) -> Option<T> {
        let object = self.object(name)?;
        let mut inner = Self { object, pointer: self.at(name), complaints: Vec::new() };
        let read = T::from_members(&mut inner);
        self.complaints.append(&mut inner.complaints);
        read
    }

    /// A list of texts with a grammar.
    pub(crate) fn list<T: FromStr<Err: fmt::Display>>(&mut self, name: &str) -> Option<Vec<T>> {
        let items = match self.take(name)? {
            Value::Array(items) => items,
            other => return self.mistyped(name, other, "must be an array"),
        };
        let read = items.into_iter().enumerate().map(|(position, item)| self.item(name, position, item));
        // Every item is looked at, so that every complaint is made.
        let read: Vec<Option<T>> = read.collect();
        read.into_iter().collect()
    }

    /// What `read` takes, which must be there.
    pub(crate) fn required<T>(&mut self, name: &str, read: impl FnOnce(&mut Self, &str) -> Option<T>) -> Option<T> {
        if self.object.get(name).is_none_or(Value::is_null) {
            return self.complain(name, "is required");
        }
        read(self, name)
    }

    /// What `read` takes, where `null` means that something goes.
    pub(crate) fn patch<T>(&mut self, name: &str, read: impl FnOnce(&mut Self, &str) -> Option<T>) -> Patch<T> {
        if self.object.get(name).is_some_and(Value::is_null) {
            Patch::Remove
        } else {
            read(self, name).map_or(Patch::Keep, Patch::Set)
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name).filter(|value| !value.is_null())
    }

    fn item<T: FromStr<Err: fmt::Display>>(&mut self, name: &str, position: usize, item: Value) -> Option<T> {
        let place = format!("{name}/{position}");
        match item {
            Value::String(text) => {
                text.parse().map_or_else(|error: T::Err| self.complain(&place, error.to_string()), Some)
            }
            other => self.mistyped(&place, other, "must be a string"),
        }
    }

    fn mistyped<T>(&mut self, name: &str, mut value: Value, detail: &'static str) -> Option<T> {
        wipe(&mut value);
        self.complain(name, detail)
    }

    fn complain<T>(&mut self, name: &str, detail: impl Into<std::borrow::Cow<'static, str>>) -> Option<T> {
        self.complaints.push(Place::pointer(self.at(name), detail));
        None
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", self.pointer)
    }
}

fn invalid(complaints: Vec<Place>) -> Problem {
    Problem::at(ErrorCode::BodyInvalid, "the body is not what this route takes; `errors` says where", complaints)
}

#[cfg(test)]
mod tests {
    use nora_kernel::Label;
    use serde_json::json;

    use super::*;

    #[derive(Debug)]
    struct Sample {
        label: Label,
        note: Option<String>,
        url: Patch<String>,
        inner: Option<Inner>,
    }

    #[derive(Debug)]
    struct Inner {
        labels: Vec<Label>,
    }

    impl FromMembers for Sample {
        fn from_members(members: &mut Members) -> Option<Self> {
            let label = members.required("label", Members::parsed);
            let note = members.text("note");
            let url = members.patch("url", Members::text);
            let inner = members.nested("inner");
            Some(Self { label: label?, note, url, inner })
        }
    }

    impl FromMembers for Inner {
        fn from_members(members: &mut Members) -> Option<Self> {
            let labels = members.required("labels", Members::list);
            Some(Self { labels: labels? })
        }
    }

    #[test]
    fn null_is_absent_unless_it_takes_something_away() {
        let body = json!({ "label": "a", "note": null, "url": null, "inner": null, "unknown": 1 });
        let read: Sample = Members::read(body).unwrap();
        assert!(read.note.is_none() && read.inner.is_none() && matches!(read.url, Patch::Remove));
        let read: Sample = Members::read(json!({ "label": "a", "url": "x" })).unwrap();
        assert!(matches!(read.url, Patch::Set(url) if url == "x"));
        let read: Sample = Members::read(json!({ "label": "b", "inner": { "labels": ["c"] } })).unwrap();
        assert_eq!((read.label.as_str(), read.inner.unwrap().labels.len()), ("b", 1));
        assert!(matches!(read.url, Patch::Keep));
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let body = json!({ "label": null, "note": 1, "url": [], "inner": { "labels": ["ok", "No", 3] } });
        let problem = Members::read::<Sample>(body).unwrap_err();
        let told = serde_json::to_value(problem.places()).unwrap();
        let pointers: Vec<&str> =
            told.as_array().unwrap().iter().map(|place| place["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, ["/label", "/note", "/url", "/inner/labels/1", "/inner/labels/2"]);
        assert!(Members::read::<Sample>(json!([])).is_err());
    }
}
