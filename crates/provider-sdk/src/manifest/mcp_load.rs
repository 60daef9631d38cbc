//! From `[mcp]` to an MCP server.

use std::collections::BTreeMap;

use nora_kernel::FieldName;
use toml::Spanned;

use super::error::{Checked, Problem};
use super::format::{McpBlock, McpEntry, Registry, Text};
use super::mcp::{McpServer, McpTransport, McpUrl, McpUrlKind, McpVariable, variable_name};
use super::{Field, FieldKind, https_url};
use crate::probe::load_header;
use crate::template::{Braces, Names, Template, UrlTemplate};
use crate::values::Var;
use crate::when::When;

/// What templates are checked against.
struct Scope<'a> {
    names: &'a Names,
    fields: &'a [Field],
    vars: &'a BTreeMap<String, Var>,
}

/// Loads an MCP server.
pub(crate) fn load(
    block: &Spanned<McpBlock>,
    names: &Names,
    fields: &[Field],
    vars: &BTreeMap<String, Var>,
) -> Checked<McpServer> {
    let scope = Scope { names, fields, vars };
    let mcp = block.get_ref();
    let transport = match (&mcp.package, &mcp.version, &mcp.url) {
        (Some(package), Some(version), None) if mcp.headers.is_empty() => scope.stdio(mcp, package, version)?,
        (None, None, Some(url)) if mcp.env.is_empty() && mcp.args.is_empty() && mcp.registry.is_none() => {
            let headers = mcp.headers.iter().map(|(name, entry)| scope.header(name, entry));
            McpTransport::Remote { url: scope.url(url)?, headers: headers.collect::<Checked<_>>()? }
        }
        _ => {
            let reason =
                "an MCP server is a `package` with its `version` (and `args`, `env`), or a `url` (and `headers`)";
            return Err(Problem::with(block, reason));
        }
    };
    let requires = mcp.requires.iter().map(|name| scope.field(name)).collect::<Checked<_>>()?;
    Ok(McpServer { transport, requires, docs_url: https_url(&mcp.docs_url)?, notes: mcp.notes.clone() })
}

/// The names that decide where a remote server is.
pub(crate) fn host_names(server: &McpServer) -> Vec<&str> {
    match &server.transport {
        McpTransport::Remote { url: McpUrl { url: McpUrlKind::Template(template), .. }, .. } => template.host_names(),
        McpTransport::Remote { .. } | McpTransport::Stdio { .. } => Vec::new(),
    }
}

impl Scope<'_> {
    fn stdio(&self, mcp: &McpBlock, package: &Text, version: &Text) -> Checked<McpTransport> {
        check_package(package)?;
        check_version(version)?;
        let env = mcp.env.iter().map(|(name, entry)| self.variable(name, entry)).collect::<Checked<Vec<_>>>()?;
        let registry = mcp.registry.as_ref().map_or(Registry::Npm, |registry| *registry.get_ref());
        let (command, first) = start(mcp, registry, package.get_ref(), version.get_ref(), &env)?;
        let first = first.into_iter().map(|arg| Template::split(&arg, Braces::Literal));
        let mut args = first.collect::<Result<Vec<_>, _>>().map_err(|reason| Problem::with(package, reason))?;
        for arg in &mcp.args {
            args.push(self.argument(arg)?);
        }
        let package = package.get_ref().clone();
        let is_npm = registry == Registry::Npm;
        Ok(McpTransport::Stdio { package, is_npm, version: version.get_ref().clone(), command, args, env })
    }

    fn argument(&self, text: &Text) -> Checked<Template> {
        let template = Template::parse(text, self.names, Braces::Literal)?;
        if let Some(name) = template.names().find(|name| self.names.is_secret(name)) {
            let reason = format!("`{{{name}}}` is a secret, and arguments show up in process lists");
            return Err(Problem::with(text, reason));
        }
        Ok(template)
    }

    fn variable(&self, name: &Text, entry: &McpEntry) -> Checked<McpVariable> {
        let variable = variable_name(name.get_ref()).map_err(|reason| Problem::with(name, reason))?;
        let value = Template::parse(&entry.value, self.names, Braces::Literal)?;
        self.finish(variable, value, entry)
    }

    fn header(&self, name: &Text, entry: &McpEntry) -> Checked<McpVariable> {
        let (_, value) = load_header(name, &entry.value, self.names)?;
        self.finish(name.get_ref().clone(), value, entry)
    }

    fn finish(&self, name: String, value: Template, entry: &McpEntry) -> Checked<McpVariable> {
        let when = When::parse(entry.when.as_ref(), self.names)?;
        Ok(McpVariable { name, secret: self.secret_of(&value), value, when })
    }

    /// The first secret field a template is made of, through vars too.
    fn secret_of(&self, template: &Template) -> Option<FieldName> {
        template.names().find_map(|name| match self.vars.get(name) {
            Some(Var::Base64(inner)) => self.secret_of(inner),
            Some(Var::Percent { from, .. }) => self.secret_field(from),
            Some(Var::Map { .. } | Var::Label { .. }) => None,
            None => self.secret_field(name),
        })
    }

    fn secret_field(&self, name: &str) -> Option<FieldName> {
        let mut secrets = self.fields.iter().filter(|field| field.secret);
        secrets.find(|field| field.name.as_str() == name).map(|field| field.name.clone())
    }

    fn url(&self, text: &Text) -> Checked<McpUrl> {
        let source = text.get_ref().clone();
        let name = source.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let field = name.and_then(|name| self.fields.iter().find(|field| field.name.as_str() == name));
        let url = match field {
            Some(field) if field.kind == FieldKind::Url => McpUrlKind::Field(field.name.to_string()),
            _ => McpUrlKind::Template(UrlTemplate::parse(text, self.names)?),
        };
        Ok(McpUrl { source, url })
    }

    fn field(&self, name: &Text) -> Checked<FieldName> {
        let found = self.fields.iter().find(|field| field.name.as_str() == name.get_ref());
        found.map(|field| field.name.clone()).ok_or_else(|| Problem::with(name, "there is no such field"))
    }
}

/// The program that starts a package, and the arguments in front of the manifest's own.
fn start(
    mcp: &McpBlock,
    registry: Registry,
    package: &str,
    version: &str,
    env: &[McpVariable],
) -> Checked<(String, Vec<String>)> {
    if let (Some(executable), false) = (&mcp.executable, registry == Registry::Pypi) {
        return Err(Problem::with(
            executable,
            "only a package of the Python index has an `executable` of another name",
        ));
    }
    Ok(match registry {
        Registry::Npm => ("npx".to_owned(), vec!["-y".to_owned(), format!("{package}@{version}")]),
        Registry::Pypi => {
            let args = match &mcp.executable {
                None => vec![format!("{package}@{version}")],
                Some(executable) => {
                    vec!["--from".to_owned(), format!("{package}=={version}"), executable.get_ref().clone()]
                }
            };
            ("uvx".to_owned(), args)
        }
        Registry::Container => {
            let mut args: Vec<String> = ["run", "-i", "--rm"].map(str::to_owned).to_vec();
            for variable in env {
                args.extend(["-e".to_owned(), variable.name.clone()]);
            }
            args.push(format!("{package}:{version}"));
            ("docker".to_owned(), args)
        }
    })
}

fn check_package(text: &Text) -> Checked<()> {
    let package = text.get_ref();
    let fits = package.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@/._-".contains(&byte));
    if fits && !package.is_empty() && !package.starts_with(['-', '.', '/']) {
        Ok(())
    } else {
        Err(Problem::with(text, "is no name of a package"))
    }
}

fn check_version(text: &Text) -> Checked<()> {
    let version = text.get_ref();
    let fits = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte));
    let exact = version.bytes().next().is_some_and(|first| first.is_ascii_digit() || first == b'v');
    if fits && exact {
        Ok(())
    } else {
        Err(Problem::with(text, "is no exact version, such as 1.4.2; no range and no tag"))
    }
}
