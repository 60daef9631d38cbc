//! From the keys of a request to a request with holes.

use std::collections::BTreeMap;

use toml::Spanned;

use super::check::parse_header_name;
use super::load::sentence;
use super::request::{Body, RequestTemplate};
use crate::http::Method;
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::{BasicEntry, MethodName, Text};
use crate::manifest::json_value;
use crate::template::{Braces, Escape, Names, Part, Template, UrlTemplate};

/// The keys a request has wherever one stands.
pub(super) struct RequestParts<'a> {
    pub(super) url: &'a Text,
    pub(super) method: MethodName,
    pub(super) read_only_because: Option<&'a Text>,
    pub(super) headers: &'a BTreeMap<Text, Text>,
    pub(super) basic: Option<&'a BasicEntry>,
    pub(super) query: &'a BTreeMap<String, Text>,
    pub(super) json: Option<&'a Spanned<toml::Value>>,
    pub(super) form: Option<&'a BTreeMap<String, Text>>,
    pub(super) text: Option<&'a Text>,
}

impl RequestParts<'_> {
    pub(super) fn load(&self, names: &Names) -> Checked<RequestTemplate> {
        let mut url = UrlTemplate::parse(self.url, names)?;
        for (name, value) in self.query {
            url.push_query(encode(name), Template::parse(value, names, Braces::Refused)?.map_text(encode));
        }
        Ok(RequestTemplate {
            method: self.method()?,
            url,
            source: self.url.get_ref().clone(),
            headers: self.headers(names)?,
            basic: self.basic(names)?,
            body: self.body(names)?,
            read_only_because: self.read_only_because.map(sentence).transpose()?,
        })
    }

    fn method(&self) -> Checked<Method> {
        match self.method {
            MethodName::Get => Ok(Method::Get),
            MethodName::Head => Ok(Method::Head),
            MethodName::Post if self.read_only_because.is_some() => Ok(Method::Post),
            MethodName::Post => {
                Err(Problem::with(self.url, "a POST says in `read_only_because` why it changes nothing at the service"))
            }
        }
    }

    fn headers(&self, names: &Names) -> Checked<Vec<(String, Template)>> {
        self.headers.iter().map(|(name, value)| load_header(name, value, names)).collect()
    }

    fn basic(&self, names: &Names) -> Checked<Option<(Template, Template)>> {
        let Some(basic) = self.basic else { return Ok(None) };
        if let Some((name, _)) =
            self.headers.iter().find(|(name, _)| name.get_ref().eq_ignore_ascii_case("authorization"))
        {
            return Err(Problem::with(name, "`basic` and an `Authorization` header exclude each other"));
        }
        let parse = |text| Template::parse(text, names, Braces::Refused);
        Ok(Some((parse(&basic.username)?, parse(&basic.password)?)))
    }

    fn body(&self, names: &Names) -> Checked<Option<Body>> {
        let body = match (self.json, self.form, self.text) {
            (None, None, None) => return Ok(None),
            (Some(json), None, None) => Body::Json(json_template(json, names)?),
            (None, Some(form), None) => {
                let entry = |(name, value): (&String, &Text)| {
                    Ok((encode(name), Template::parse(value, names, Braces::Refused)?.map_text(encode)))
                };
                Body::Form(form.iter().map(entry).collect::<Checked<_>>()?)
            }
            (None, None, Some(text)) => Body::Text(Template::parse(text, names, Braces::Literal)?),
            _ => return Err(Problem::with(self.url, "a request has one body: `json`, `form` or `text`")),
        };
        if self.method == MethodName::Post {
            Ok(Some(body))
        } else {
            Err(Problem::with(self.url, "only a POST has a body"))
        }
    }
}

/// Headers that the client writes, or that would change where the request goes.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(crate) fn load_header(name: &Text, value: &Text, names: &Names) -> Checked<(String, Template)> {
    let plain = parse_header_name(name)?.to_ascii_lowercase();
    if RESERVED.contains(&plain.as_str()) {
        return Err(Problem::with(name, "this header is not the manifest's to set"));
    }
    let template = Template::parse(value, names, Braces::Refused)?;
    let literal = template.parts().iter().all(|part| match part {
        Part::Text(text) => crate::template::is_header_text(text),
        Part::Value(_) => true,
    });
    if literal { Ok((plain, template)) } else { Err(Problem::with(value, "a header holds printable ASCII")) }
}

fn json_template(value: &Spanned<toml::Value>, names: &Names) -> Checked<Template> {
    let json = json_value(value.get_ref()).map_err(|reason| Problem::with(value, reason))?;
    let mut parts = Vec::new();
    write_json(&json, &mut parts).map_err(|reason| Problem::with(value, reason))?;
    let template = Template::from_parts(json.to_string(), parts);
    for name in template.names() {
        names.check(name).map_err(|reason| Problem::with(value, reason))?;
    }
    Ok(template)
}

/// JSON text whose strings may have holes.
fn write_json(value: &serde_json::Value, parts: &mut Vec<Part>) -> Result<(), String> {
    use serde_json::Value;
    let mut text = |text: &str| parts.push(Part::Text(text.to_owned()));
    match value {
        Value::String(string) => write_json_string(string, parts)?,
        Value::Array(items) => {
            text("[");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    parts.push(Part::Text(",".to_owned()));
                }
                write_json(item, parts)?;
            }
            parts.push(Part::Text("]".to_owned()));
        }
        Value::Object(members) => {
            text("{");
            for (index, (name, member)) in members.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                parts.push(Part::Text(format!("{comma}{}:", Value::String(name.clone()))));
                write_json(member, parts)?;
            }
            parts.push(Part::Text("}".to_owned()));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => text(&value.to_string()),
    }
    Ok(())
}

fn write_json_string(string: &str, parts: &mut Vec<Part>) -> Result<(), String> {
    parts.push(Part::Text("\"".to_owned()));
    for part in Template::split(string, Braces::Literal)?.parts() {
        parts.push(match part {
            Part::Text(text) => {
                let escaped = Escape::Json.apply(crate::Secret::new(text.clone()))?;
                Part::Text(escaped.expose().to_owned())
            }
            Part::Value(name) => Part::Value(name.clone()),
        });
    }
    parts.push(Part::Text("\"".to_owned()));
    Ok(())
}

/// A literal query or form text, escaped.
fn encode(text: &str) -> String {
    let escaped = Escape::Query.apply(crate::Secret::new(text.to_owned()));
    escaped.map(|escaped| escaped.expose().to_owned()).unwrap_or_default()
}
