//! From the text of a manifest file to a manifest.

use std::collections::{BTreeMap, BTreeSet};

use nora_kernel::{FieldName, ProviderId};
use toml::Spanned;

use super::error::{Checked, Problem};
use super::format::{ManifestFile, Text, VarEntry};
use super::{Field, Manifest, ManifestError, cases, fields, https_url, mcp_load, schema};
use crate::manifest::AuthType;
use crate::template::{Braces, HostUse, Names, Origin, Template};
use crate::values::Var;
use crate::{probe, webhook};

/// Loads a manifest from the text of its file.
pub(crate) fn load(file_name: &str, text: &str) -> Result<Manifest, ManifestError> {
    let file: ManifestFile = toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        ManifestError::at(file_name, text, offset, error.message().to_owned())
    })?;
    build(&file).map_err(|problem| ManifestError::at(file_name, text, problem.span.start, problem.reason))
}

fn build(file: &ManifestFile) -> Checked<Manifest> {
    let id = parse_id(&file.id)?;
    let mut fields = fields::load(file)?;
    let mut names = Names::default();
    for (field, entry) in fields.iter().zip(&file.fields) {
        let added = names.add(field.name.as_str(), Origin::Field(fields::host_use(field)), field.secret);
        added.map_err(|reason| Problem::with(&entry.name, reason))?;
    }
    let vars = load_vars(file, &fields, &mut names)?;
    let tests = probe::load(&file.test.get_ref().0, &names, file.test.span())?;
    let mcp = file.mcp.as_ref().map(|block| mcp_load::load(block, &names, &fields, &vars)).transpose()?;
    let webhook = file.webhook.as_ref().map(|block| webhook::load(block.get_ref(), &block.span())).transpose()?;
    let mut hosts: Vec<&str> = tests.iter().flat_map(probe::Test::host_names).collect();
    hosts.extend(mcp.iter().flat_map(mcp_load::host_names));
    mark_destinations(&mut fields, &hosts, &vars);
    let (example, cases) = cases::load(file, &fields)?;
    let token = (file.auth_type != AuthType::None).then(|| fields.first().map(|field| field.name.clone())).flatten();
    let config_schema = schema::schema(fields.iter().filter(|field| Some(&field.name) != token.as_ref()));
    Ok(Manifest {
        replaces_built_in: file.replaces_built_in,
        icon: file.icon.clone().unwrap_or_else(|| id.to_string()),
        name: shown(&file.name)?,
        category: parse_category(&file.category)?,
        description: shown(&file.description)?,
        docs_url: https_url(&file.docs_url)?,
        auth_type: file.auth_type,
        capabilities: load_capabilities(file)?,
        requires_one_of: load_alternatives(file, &fields)?,
        id,
        fields,
        config_schema,
        vars,
        tests,
        mcp,
        webhook,
        example,
        cases,
    })
}

fn parse_id(text: &Text) -> Checked<ProviderId> {
    text.get_ref().parse().map_err(|error| Problem::with(text, format!("{error}")))
}

fn parse_category(text: &Text) -> Checked<String> {
    let category = text.get_ref();
    let fits = category.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !category.starts_with('-');
    if fits && !category.is_empty() {
        Ok(category.clone())
    } else {
        Err(Problem::with(text, "a category is lower-case letters and hyphens"))
    }
}

fn shown(text: &Text) -> Checked<String> {
    let trimmed = text.get_ref().trim();
    if trimmed.is_empty() || trimmed.chars().any(char::is_control) || trimmed.len() > 300 {
        return Err(Problem::with(text, "is one line of 1 to 300 characters"));
    }
    Ok(trimmed.to_owned())
}

const CAPABILITIES: &[&str] = &["oauth", "read", "write"];

fn load_capabilities(file: &ManifestFile) -> Checked<Vec<String>> {
    let mut capabilities = BTreeSet::new();
    for capability in &file.capabilities {
        if !CAPABILITIES.contains(&capability.get_ref().as_str()) {
            let reason = "a capability is `read`, `write` or `oauth`; `webhook` and `mcp` follow from their tables";
            return Err(Problem::with(capability, reason));
        }
        capabilities.insert(capability.get_ref().clone());
    }
    capabilities.extend(file.webhook.as_ref().map(|_| "webhook".to_owned()));
    capabilities.extend(file.mcp.as_ref().map(|_| "mcp".to_owned()));
    let order = ["read", "write", "webhook", "oauth", "mcp"];
    Ok(order.iter().filter(|name| capabilities.contains(**name)).map(|name| (*name).to_owned()).collect())
}

fn load_alternatives(file: &ManifestFile, fields: &[Field]) -> Checked<Vec<Vec<FieldName>>> {
    let field = |name: &Text| {
        let found = fields.iter().find(|field| field.name.as_str() == name.get_ref());
        found.map(|field| field.name.clone()).ok_or_else(|| Problem::with(name, "there is no such field"))
    };
    file.requires_one_of.iter().map(|set| set.iter().map(field).collect()).collect()
}

fn load_vars(file: &ManifestFile, fields: &[Field], names: &mut Names) -> Checked<BTreeMap<String, Var>> {
    let mut vars = BTreeMap::new();
    for (name, entry) in &file.vars {
        let (var, usage, secret) = load_var(name, entry, fields, names)?;
        if name.get_ref().parse::<FieldName>().is_err() {
            return Err(Problem::with(name, "a name is lower-case letters, digits and underscores"));
        }
        let added = names.add(name.get_ref(), Origin::Var(usage), secret);
        added.map_err(|reason| Problem::with(name, reason))?;
        vars.insert(name.get_ref().clone(), var);
    }
    Ok(vars)
}

fn load_var(name: &Text, entry: &VarEntry, fields: &[Field], names: &Names) -> Checked<(Var, HostUse, bool)> {
    let wrong = || {
        Problem::with(
            name,
            "a var has exactly one of `map`, `label`, `after_last`, `percent_encoded` (with `from`) and `base64` (without)",
        )
    };
    let default = entry.default.as_ref().map(|text| text.get_ref().clone());
    let source = entry.from.as_ref().map(|from| find(from, fields)).transpose()?;
    if entry.percent_encoded {
        return match (source, &entry.map, entry.label, &entry.after_last, &entry.base64) {
            (Some(field), None, false, None, None) => {
                Ok((Var::Percent { from: field.name.to_string(), default }, HostUse::Never, field.secret))
            }
            _ => Err(wrong()),
        };
    }
    match (source, &entry.map, entry.label, &entry.after_last, &entry.base64) {
        (Some(field), Some(map), false, None, None) => {
            let usage = check_map(name, map, field, default.as_ref())?;
            let map = map.iter().map(|(key, value)| (key.clone(), value.get_ref().clone())).collect();
            Ok((Var::Map { from: field.name.to_string(), default, map }, usage, false))
        }
        (Some(field), None, true, None, None) => {
            Ok((Var::Label { from: field.name.to_string(), default, after_last: None }, HostUse::Label, field.secret))
        }
        (Some(field), None, false, Some(mark), None) => {
            let mut characters = mark.get_ref().chars();
            let (Some(mark), None) = (characters.next(), characters.next()) else {
                return Err(Problem::with(mark, "`after_last` is one character"));
            };
            // What is cut out of a secret for a host is no secret itself.
            Ok((Var::Label { from: field.name.to_string(), default, after_last: Some(mark) }, HostUse::Label, false))
        }
        (None, None, false, None, Some(template)) => {
            let template = Template::parse(template, names, Braces::Literal)?;
            let secret = template.names().any(|name| names.is_secret(name));
            Ok((Var::Base64(template), HostUse::Never, secret))
        }
        _ => Err(wrong()),
    }
}

fn find<'a>(name: &Text, fields: &'a [Field]) -> Checked<&'a Field> {
    let found = fields.iter().find(|field| field.name.as_str() == name.get_ref());
    found.ok_or_else(|| Problem::with(name, format!("there is no field `{}`", name.get_ref())))
}

/// A map covers what its field can be. It may stand in a host if all its texts may.
fn check_map(
    name: &Text,
    map: &BTreeMap<String, Spanned<String>>,
    field: &Field,
    default: Option<&String>,
) -> Checked<HostUse> {
    let domain = match &field.kind {
        super::FieldKind::Choice(options) => options.clone(),
        super::FieldKind::Boolean => vec!["true".to_owned(), "false".to_owned()],
        _ => return Err(Problem::with(name, "a `map` is from a `choice` or a `boolean`")),
    };
    if let Some(missing) = domain.iter().chain(default).find(|option| !map.contains_key(*option)) {
        return Err(Problem::with(name, format!("the map does not say what `{missing}` becomes")));
    }
    if field.default.is_none() && default.is_none() && !field.required {
        return Err(Problem::with(name, format!("`{}` may be empty: give it or this var a `default`", field.name)));
    }
    let is_host = map.values().all(|text| crate::destination::is_host_name(text.get_ref()));
    Ok(if is_host { HostUse::Listed } else { HostUse::Never })
}

/// A field from which a host is made decides where the credential goes. A secret is no such field: it is sent again
/// whenever anything of the kind changes.
fn mark_destinations(fields: &mut [Field], hosts: &[&str], vars: &BTreeMap<String, Var>) {
    let sources: BTreeSet<&str> =
        hosts.iter().map(|name| vars.get(*name).and_then(Var::source).unwrap_or(name)).collect();
    for field in fields {
        field.destination |= !field.secret && (field.kind.is_destination() || sources.contains(field.name.as_str()));
    }
}
