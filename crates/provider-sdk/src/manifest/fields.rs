//! From `[[fields]]` to fields.

use std::collections::BTreeSet;

use nora_kernel::{EnvName, FieldName};
use serde_json::Value;
use toml::Spanned;

use super::error::{Checked, Problem};
use super::field::Export;
use super::format::{FieldEntry, FieldType, ManifestFile, Text};
use super::{AuthType, Field, FieldKind, compile_pattern, domains, json_scalar, json_value};
use crate::destination::{is_host_name, parse_base_url, parse_host, parse_label};
use crate::template::{Braces, HostUse, Part, Template};

/// Loads the fields.
pub(crate) fn load(file: &ManifestFile) -> Checked<Vec<Field>> {
    let has_token = file.auth_type != AuthType::None;
    if has_token && file.fields.is_empty() {
        return Err(Problem::with(
            &file.id,
            "the first of `[[fields]]` is the token; without one `auth_type` is `none`",
        ));
    }
    let mut fields = Vec::with_capacity(file.fields.len());
    for (index, entry) in file.fields.iter().enumerate() {
        fields.push(load_field(entry, has_token && index == 0)?);
    }
    check_variables(file)?;
    for (field, entry) in fields.iter_mut().zip(&file.fields) {
        field.required_when = load_required_when(entry)?;
    }
    check_required_when(&fields, file, has_token)?;
    Ok(fields)
}

fn load_field(entry: &FieldEntry, is_token: bool) -> Checked<Field> {
    let name: FieldName =
        entry.name.get_ref().parse().map_err(|error| Problem::with(&entry.name, format!("{error}")))?;
    if is_token && entry.pattern.is_some() {
        return Err(Problem::with(
            &entry.name,
            "the token takes a `hint`, which warns, and no `pattern`, which refuses",
        ));
    }
    if is_token && entry.secret == Some(false) {
        return Err(Problem::with(&entry.name, "the first field is the token, and the token is a secret"));
    }
    if is_token && entry.required_when.is_some() {
        return Err(Problem::with(&entry.name, "the token is required or it is not; see `requires_one_of`"));
    }
    let domains = load_domains(entry)?;
    let kind = load_kind(entry, &domains)?;
    check_limits(entry, &kind)?;
    let compiled = |text: &Text| compile_pattern(text).map(|_| text.get_ref().clone());
    let mut field = Field {
        name,
        title: entry.title.clone(),
        description: entry.description.clone(),
        secret: is_token || entry.secret == Some(true),
        required: entry.required.unwrap_or(is_token),
        required_when: Vec::new(),
        destination: entry.destination,
        pattern: entry.pattern.as_ref().map(compiled).transpose()?,
        hint: entry.hint.as_ref().map(compiled).transpose()?,
        domains,
        range: (entry.min, entry.max),
        length: (entry.min_length, entry.max_length),
        placeholder: entry.placeholder.clone(),
        examples: Vec::new(),
        default: None,
        env: entry.env.as_ref().map(load_env).transpose()?,
        deprecated: entry.deprecated,
        export: None,
        kind,
    };
    if field.secret && !has_text(&field.kind) {
        return Err(Problem::with(&entry.name, "a secret is text: no choice, number or boolean"));
    }
    field.export = load_export(entry, &field)?;
    field.default = entry.default.as_ref().map(|value| load_value(value, value.get_ref(), &field)).transpose()?;
    if let Some(examples) = &entry.examples {
        let loaded = examples.get_ref().iter().map(|value| load_value(examples, value, &field));
        field.examples = loaded.collect::<Checked<_>>()?;
    }
    if field.secret && field.default.is_some() {
        return Err(Problem::with(&entry.name, "a secret has no default"));
    }
    Ok(field)
}

fn has_text(kind: &FieldKind) -> bool {
    !matches!(kind, FieldKind::Choice(_) | FieldKind::Integer | FieldKind::Boolean)
}

fn load_domains(entry: &FieldEntry) -> Checked<Vec<String>> {
    let Some(given) = &entry.domains else { return Ok(Vec::new()) };
    let wrong = |reason| Problem::with(given, reason);
    match (entry.kind, given.get_ref().len()) {
        (FieldType::Subdomain, 1) | (FieldType::HostUnder | FieldType::BaseUrl, 1..) => {}
        (FieldType::Subdomain, _) => return Err(wrong("a `subdomain` has exactly one of `domains`")),
        _ => return Err(wrong("only `subdomain`, `host_under` and `base_url` have `domains`")),
    }
    given.get_ref().iter().map(|domain| domains::domain(&Spanned::new(given.span(), domain.clone()))).collect()
}

fn load_kind(entry: &FieldEntry, domains: &[String]) -> Checked<FieldKind> {
    let at_name = |reason: &str| Problem::with(&entry.name, reason);
    if let (Some(options), false) = (&entry.options, entry.kind == FieldType::Choice) {
        return Err(Problem::with(options, "only a `choice` has `options`"));
    }
    Ok(match entry.kind {
        FieldType::Text => FieldKind::Text,
        FieldType::Choice => match entry.options.as_ref().map(Spanned::get_ref) {
            Some(options) if !options.is_empty() && options.iter().collect::<BTreeSet<_>>().len() == options.len() => {
                FieldKind::Choice(options.clone())
            }
            _ => return Err(at_name("a `choice` has `options`, each of them once")),
        },
        FieldType::Integer => FieldKind::Integer,
        FieldType::Boolean => FieldKind::Boolean,
        FieldType::Email => FieldKind::Email,
        FieldType::Uuid => FieldKind::Uuid,
        FieldType::Url => FieldKind::Url,
        FieldType::BaseUrl => FieldKind::BaseUrl,
        FieldType::Host => FieldKind::Host,
        FieldType::Subdomain if domains.is_empty() => {
            return Err(at_name("say in `domains` what the subdomain stands in front of"));
        }
        FieldType::Subdomain => FieldKind::Subdomain,
        FieldType::HostUnder if domains.is_empty() => {
            return Err(at_name("say in `domains` what the host must lie under"));
        }
        FieldType::HostUnder => FieldKind::HostUnder(domains.to_vec()),
        FieldType::Json => FieldKind::Json,
        FieldType::Pem => FieldKind::Pem,
        FieldType::Yaml => FieldKind::Yaml,
    })
}

fn check_limits(entry: &FieldEntry, kind: &FieldKind) -> Checked<()> {
    let integer = matches!(kind, FieldKind::Integer);
    if (entry.min.is_some() || entry.max.is_some()) && !integer {
        return Err(Problem::with(&entry.name, "`min` and `max` are those of an `integer`"));
    }
    if (entry.min_length.is_some() || entry.max_length.is_some()) && !has_text(kind) {
        return Err(Problem::with(&entry.name, "`min_length` and `max_length` are those of a text"));
    }
    if entry.pattern.is_some() && !has_text(kind) {
        return Err(Problem::with(&entry.name, "a `pattern` is that of a text"));
    }
    Ok(())
}

fn load_env(text: &Text) -> Checked<EnvName> {
    text.get_ref().parse().map_err(|error| Problem::with(text, format!("{error}")))
}

fn check_variables(file: &ManifestFile) -> Checked<()> {
    let mut seen = BTreeSet::new();
    for env in file.fields.iter().filter_map(|entry| entry.env.as_ref()) {
        if !seen.insert(env.get_ref()) {
            return Err(Problem::with(env, "two fields set this variable"));
        }
    }
    Ok(())
}

fn load_export(entry: &FieldEntry, field: &Field) -> Checked<Option<Export>> {
    match (&entry.env_value, &entry.env_map) {
        (None, None) => Ok(None),
        (Some(text), None) if entry.env.is_some() => {
            let template =
                Template::split(text.get_ref(), Braces::Literal).map_err(|reason| Problem::with(text, reason))?;
            let (before, after) = match template.parts() {
                [Part::Value(name)] if name == field.name.as_str() => ("", ""),
                [Part::Text(before), Part::Value(name)] if name == field.name.as_str() => (before.as_str(), ""),
                [Part::Value(name), Part::Text(after)] if name == field.name.as_str() => ("", after.as_str()),
                [Part::Text(before), Part::Value(name), Part::Text(after)] if name == field.name.as_str() => {
                    (before.as_str(), after.as_str())
                }
                _ => {
                    return Err(Problem::with(
                        text,
                        format!("`env_value` holds `{{{}}}` once, and no other field", field.name),
                    ));
                }
            };
            Ok(Some(Export::Around(before.to_owned(), after.to_owned())))
        }
        (None, Some(map)) if entry.env.is_some() => Ok(Some(Export::Map(map.get_ref().clone()))),
        _ => Err(Problem::with(
            &entry.name,
            "`env_value` or `env_map` says what `env` is set to; give one of them, and `env`",
        )),
    }
}

/// A default or example: of the field's type, and one the field itself would take.
fn load_value<T>(place: &Spanned<T>, value: &toml::Value, field: &Field) -> Checked<Value> {
    let wrong = |reason: String| Problem::with(place, reason);
    let json = json_value(value).map_err(wrong)?;
    let fits = match (&field.kind, &json) {
        (FieldKind::Integer, Value::Number(number)) => {
            let number = number.as_i64();
            number.is_some_and(|number| {
                field.range.0.is_none_or(|min| number >= min) && field.range.1.is_none_or(|max| number <= max)
            })
        }
        (FieldKind::Boolean, Value::Bool(_)) => true,
        (FieldKind::Choice(options), Value::String(text)) => options.contains(text),
        (FieldKind::Integer | FieldKind::Boolean | FieldKind::Choice(_), _) => false,
        (_, Value::String(text)) => {
            check_text(text, field).map_err(|detail| wrong(format!("the value {detail}")))?;
            true
        }
        _ => false,
    };
    if fits { Ok(json) } else { Err(wrong("the value is not one this field takes".to_owned())) }
}

/// Whether a field takes this text. An empty default stands for none.
pub(crate) fn check_text(text: &str, field: &Field) -> Result<(), &'static str> {
    if text.is_empty() {
        return Ok(());
    }
    field.check_form(text)?;
    let matches =
        |pattern: &String| super::pattern::compile(pattern).is_ok_and(|pattern| pattern.is_match(text.as_bytes()));
    if field.pattern.as_ref().is_some_and(|pattern| !matches(pattern)) {
        return Err("does not match the field's pattern");
    }
    match &field.kind {
        FieldKind::BaseUrl => parse_base_url(text).map(drop),
        FieldKind::Host => parse_host(text).map(drop),
        FieldKind::Subdomain => parse_label(text).map(drop),
        FieldKind::HostUnder(domains) => crate::destination::parse_host_under(text, domains).map(drop),
        FieldKind::Choice(options) if !options.iter().any(|option| option == text) => Err("is none of the options"),
        _ => Ok(()),
    }
}

fn load_required_when(entry: &FieldEntry) -> Checked<Vec<(FieldName, Value)>> {
    let Some(conditions) = &entry.required_when else { return Ok(Vec::new()) };
    if entry.required == Some(true) {
        return Err(Problem::with(&entry.name, "a field is `required`, or it is `required_when`"));
    }
    let conditions = conditions.iter().map(|(name, value)| {
        let value = json_scalar(value).map_err(|reason| Problem::with(name, reason))?;
        let name = name.get_ref().parse().map_err(|error| Problem::with(name, format!("{error}")))?;
        Ok((name, value))
    });
    conditions.collect()
}

/// A condition is on another field of `config`, and on a value that field can have.
fn check_required_when(fields: &[Field], file: &ManifestFile, has_token: bool) -> Checked<()> {
    for (field, entry) in fields.iter().zip(&file.fields) {
        for (name, value) in &field.required_when {
            let mut config = fields.iter().skip(usize::from(has_token));
            let other = config.find(|other| other.name == *name && other.name != field.name && !other.secret);
            let can_be = other.is_some_and(|other| match (&other.kind, value) {
                (FieldKind::Choice(options), Value::String(text)) => options.contains(text),
                (FieldKind::Boolean, Value::Bool(_)) | (FieldKind::Integer, Value::Number(_)) => true,
                (FieldKind::Choice(_) | FieldKind::Boolean | FieldKind::Integer, _) => false,
                (_, value) => value.is_string(),
            });
            if !can_be {
                return Err(Problem::with(
                    &entry.name,
                    "`required_when` is on another public field, and a value it can have",
                ));
            }
        }
    }
    Ok(())
}

/// How a field may stand in the host of a URL.
pub(crate) fn host_use(field: &Field) -> HostUse {
    match &field.kind {
        FieldKind::BaseUrl => HostUse::Origin(field.domains.clone()),
        FieldKind::Host => HostUse::Host(Vec::new()),
        FieldKind::HostUnder(domains) => HostUse::Host(domains.clone()),
        FieldKind::Subdomain => HostUse::LabelBefore(field.domains.first().cloned().unwrap_or_default()),
        FieldKind::Choice(options) if options.iter().all(|option| is_host_name(option)) => HostUse::Listed,
        _ => HostUse::Never,
    }
}
