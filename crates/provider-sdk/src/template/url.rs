//! URLs with holes in them, whose host cannot be moved by what fills the holes.

use nora_kernel::Secret;
use url::Url;

use super::names::HostUse;
use super::{Braces, Escape, Lookup, Names, Part, RenderError, Template, join};
use crate::destination::{is_host_name, lies_under, parse_base_url, parse_host, parse_host_under, parse_label};
use crate::manifest::error::{Checked, Problem};
use crate::manifest::format::Text;

/// The template of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlTemplate {
    origin: OriginTemplate,
    /// Without the leading slash; one template per segment.
    segments: Vec<Template>,
    query: Vec<(String, Template)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum OriginTemplate {
    /// A field with a whole base URL, whose host lies under one of these domains, if there are any.
    Field { name: String, domains: Vec<String> },
    /// `https` and this host, with its port if one is written. `typed` says what each hole may hold.
    Https { host: Template, port: Option<u16>, typed: Vec<(String, HostUse)> },
}

impl UrlTemplate {
    /// Parses `text`.
    ///
    /// # Errors
    ///
    /// A name is unknown, or a name that is not one of a typed host stands in the host.
    pub(crate) fn parse(text: &Text, names: &Names) -> Checked<Self> {
        let parsed = Self::split(text.get_ref(), names);
        let parsed = parsed.map_err(|reason| Problem::with(text, reason))?;
        Template::parse(text, names, Braces::Refused)?;
        Ok(parsed)
    }

    fn split(text: &str, names: &Names) -> Result<Self, String> {
        if text.contains('#') {
            return Err("a URL to call has no fragment".to_owned());
        }
        let (origin, rest) = split_origin(text, names)?;
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let segments = path.strip_prefix('/').map_or_else(Vec::new, |path| path.split('/').collect());
        let segments = segments.into_iter().map(segment).collect::<Result<_, _>>()?;
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(parameter).collect::<Result<_, _>>()?;
        Ok(Self { origin, segments, query })
    }

    /// Adds a query parameter.
    pub(crate) fn push_query(&mut self, name: String, value: Template) {
        self.query.push((name, value));
    }

    /// The names whose values decide the host.
    pub(crate) fn host_names(&self) -> Vec<&str> {
        match &self.origin {
            OriginTemplate::Field { name, .. } => vec![name],
            OriginTemplate::Https { host, .. } => host.names().collect(),
        }
    }

    /// Every name.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let segments = self.segments.iter().chain(self.query.iter().map(|(_, value)| value)).flat_map(Template::names);
        self.host_names().into_iter().chain(segments)
    }

    /// Builds the URL.
    pub(crate) fn render(&self, values: &dyn Lookup) -> Result<Url, RenderError> {
        let base = self.render_origin(values)?;
        let path = self.render_path(values)?;
        let query = self.render_query(values)?;
        let whole = join(&[Secret::new(base.as_str().trim_end_matches('/').to_owned()), path, query]);
        let url = Url::parse(whole.expose()).map_err(|_| self.unfit("makes no valid URL"))?;
        let stays = url.scheme() == base.scheme()
            && url.host() == base.host()
            && url.port() == base.port()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path().starts_with(base.path().trim_end_matches('/'));
        if stays { Ok(url) } else { Err(self.unfit("leads away from the provider's host")) }
    }

    fn render_origin(&self, values: &dyn Lookup) -> Result<Url, RenderError> {
        match &self.origin {
            OriginTemplate::Field { name, domains } => {
                let value = values.value(name)?;
                let base = parse_base_url(value.expose()).map_err(|detail| RenderError::unfit(name, detail))?;
                if !domains.is_empty() && !lies_under(base.host(), domains) {
                    return Err(RenderError::unfit(name, "does not lie under one of the provider's domains"));
                }
                Ok(base.url().clone())
            }
            OriginTemplate::Https { host, port, typed } => {
                for (name, usage) in typed {
                    check_typed(values.value(name)?.expose(), usage)
                        .map_err(|detail| RenderError::unfit(name, detail))?;
                }
                let rendered = host.render(values, Escape::Nothing)?;
                let parsed = parse_host(rendered.expose()).map_err(|detail| self.unfit(detail))?;
                let port = port.map_or_else(String::new, |port| format!(":{port}"));
                let text = format!("https://{}{port}/", parsed.in_url());
                let url = Url::parse(&text).map_err(|_| self.unfit("makes no valid host"))?;
                if url.host_str() == Some(parsed.in_url().as_str()) {
                    Ok(url)
                } else {
                    Err(self.unfit("makes no valid host"))
                }
            }
        }
    }

    fn render_path(&self, values: &dyn Lookup) -> Result<Secret, RenderError> {
        let mut pieces = Vec::with_capacity(self.segments.len() * 2);
        for segment in &self.segments {
            let rendered = segment.render(values, Escape::Path)?;
            if matches!(rendered.expose(), "." | "..") {
                return Err(RenderError::unfit(segment.names().next().unwrap_or_default(), "cannot stand in a path"));
            }
            pieces.push(Secret::new("/".to_owned()));
            pieces.push(rendered);
        }
        Ok(join(&pieces))
    }

    /// Parameters whose values are missing are left out.
    fn render_query(&self, values: &dyn Lookup) -> Result<Secret, RenderError> {
        let mut pieces = Vec::new();
        for (name, value) in &self.query {
            if let Some(value) = present(value.render(values, Escape::Query))? {
                let mark = if pieces.is_empty() { '?' } else { '&' };
                pieces.push(Secret::new(format!("{mark}{name}=")));
                pieces.push(value);
            }
        }
        Ok(join(&pieces))
    }

    /// The host, not the value, is what one can talk about when the whole does not fit.
    fn unfit(&self, detail: &'static str) -> RenderError {
        RenderError::unfit(self.host_names().first().copied().unwrap_or_default(), detail)
    }
}

/// Holds a value that makes a host to its type, here too: what was stored may be older than the manifest.
fn check_typed(value: &str, usage: &HostUse) -> Result<(), &'static str> {
    match usage {
        HostUse::LabelBefore(_) | HostUse::Label => parse_label(value).map(drop),
        HostUse::Host(domains) if !domains.is_empty() => parse_host_under(value, domains).map(drop),
        HostUse::Host(_) => parse_host(value).map(drop),
        HostUse::Listed if is_host_name(value) => Ok(()),
        HostUse::Listed | HostUse::Origin(_) | HostUse::Never => Err("is none of the values that make a host"),
    }
}

/// Turns a missing value into an absence.
pub(crate) fn present<T>(rendered: Result<T, RenderError>) -> Result<Option<T>, RenderError> {
    match rendered {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == super::RenderErrorKind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

fn split_origin<'a>(text: &'a str, names: &Names) -> Result<(OriginTemplate, &'a str), String> {
    if let Some(authority_and_rest) = text.strip_prefix("https://") {
        let end = authority_and_rest.find(['/', '?']).unwrap_or(authority_and_rest.len());
        let (authority, rest) = authority_and_rest.split_at(end);
        return Ok((parse_authority(authority, names)?, rest));
    }
    let field = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    if let Some((name, rest)) = field {
        names.check(name)?;
        return match names.host_use(name) {
            HostUse::Origin(domains) if rest.is_empty() || rest.starts_with(['/', '?']) => {
                Ok((OriginTemplate::Field { name: name.to_owned(), domains: domains.clone() }, rest))
            }
            HostUse::Origin(_) => Err(format!("after `{{{name}}}` comes a path, beginning with `/`")),
            _ => Err(format!("only a field of type `base_url` may begin a URL; `{{{name}}}` is none")),
        };
    }
    Err("a URL to call begins with `https://`, or with a field of type `base_url` in braces".to_owned())
}

fn parse_authority(authority: &str, names: &Names) -> Result<OriginTemplate, String> {
    if authority.contains('@') {
        return Err("a URL holds no user name or password; use `basic`".to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => {
            (host, Some(port.parse().map_err(|_| "the port is not a number from 1 to 65535".to_owned())?))
        }
        None => (authority, None),
    };
    let host = Template::split(host, Braces::Refused)?;
    check_host(&host, names)?;
    let typed = host.names().map(|name| (name.to_owned(), names.host_use(name).clone())).collect();
    Ok(OriginTemplate::Https { host, port, typed })
}

/// A host is literal, or made of names whose values are hosts, labels, or listed in the manifest.
fn check_host(host: &Template, names: &Names) -> Result<(), String> {
    for name in host.names() {
        names.check(name)?;
    }
    let whole = match host.parts() {
        [Part::Value(name)] => Some(name),
        _ => None,
    };
    for (index, name) in host.names().enumerate() {
        match names.host_use(name) {
            HostUse::Label | HostUse::Listed => {}
            HostUse::Host(_) if whole.is_some() => {}
            HostUse::Host(_) => return Err(format!("`{{{name}}}` is a whole host; nothing may stand beside it")),
            HostUse::LabelBefore(domain) if index == 0 && is_in_front_of(host, domain) => {}
            HostUse::LabelBefore(domain) => {
                return Err(format!("`{{{name}}}` stands in front of `{domain}` and nowhere else"));
            }
            HostUse::Origin(_) => {
                return Err(format!("`{{{name}}}` is a whole base URL; begin with it, without `https://`"));
            }
            HostUse::Never => {
                return Err(format!("`{{{name}}}` may not stand in a host: free text could move it elsewhere"));
            }
        }
    }
    check_sample(host, names)
}

fn is_in_front_of(host: &Template, domain: &str) -> bool {
    matches!(host.parts(), [Part::Value(_), Part::Text(text)] if text == domain)
}

/// Whatever fills the holes, the whole must be a host name, and its end must be something the manifest wrote.
fn check_sample(host: &Template, names: &Names) -> Result<(), String> {
    let fill = |part: &Part| match part {
        Part::Text(text) => text.clone(),
        Part::Value(name) if matches!(names.host_use(name), HostUse::Host(_) | HostUse::Listed) => {
            "a.example".to_owned()
        }
        Part::Value(_) => "a".to_owned(),
    };
    let sample: String = host.parts().iter().map(fill).collect();
    let ends_fixed = match host.parts().last() {
        Some(Part::Text(text)) => text.contains('.'),
        Some(Part::Value(name)) => matches!(names.host_use(name), HostUse::Host(_) | HostUse::Listed),
        None => false,
    };
    if is_host_name(&sample) && ends_fixed {
        Ok(())
    } else {
        Err("the host must be a host name in lower case that ends in a domain the manifest writes out".to_owned())
    }
}

fn segment(text: &str) -> Result<Template, String> {
    let template = Template::split(text, Braces::Refused)?;
    let literal_is_safe = template.parts().iter().all(|part| match part {
        Part::Text(text) => {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=%".contains(&byte))
        }
        Part::Value(_) => true,
    });
    if !literal_is_safe || matches!(text, "." | "..") {
        return Err("the path holds a character that must be escaped, or a `.` segment".to_owned());
    }
    Ok(template)
}

fn parameter(pair: &str) -> Result<(String, Template), String> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    if name.contains(['{', '}']) {
        return Err("the name of a query parameter is no template".to_owned());
    }
    let value = Template::split(value, Braces::Refused)?;
    let is_plain = value.parts().iter().all(|part| match part {
        Part::Text(text) => text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'),
        Part::Value(_) => true,
    });
    if is_plain {
        Ok((name.to_owned(), value))
    } else {
        Err("the query holds a character that must be escaped".to_owned())
    }
}
