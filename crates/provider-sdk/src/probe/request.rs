//! Requests with holes in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nora_kernel::Secret;

use super::RequestSummary;
use crate::Request;
use crate::http::Method;
use crate::template::{Escape, RenderError, Template, UrlTemplate, join, present};
use crate::values::Values;

/// What a service sees of who asks.
const USER_AGENT: &str = "nora";

#[derive(Debug, Clone)]
pub(super) struct RequestTemplate {
    pub(super) method: Method,
    pub(super) url: UrlTemplate,
    pub(super) source: String,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) basic: Option<(Template, Template)>,
    pub(super) body: Option<Body>,
    pub(super) read_only_because: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    /// JSON text whose holes stand between quotation marks.
    Json(Template),
    /// Names and values.
    Form(Vec<(String, Template)>),
    /// Anything else.
    Text(Template),
}

impl RequestTemplate {
    pub(super) fn summary(&self) -> RequestSummary {
        RequestSummary {
            method: self.method,
            url: self.source.clone(),
            read_only_because: self.read_only_because.clone(),
            status_is_proof_because: None,
        }
    }

    pub(super) fn host_names(&self) -> Vec<&str> {
        self.url.host_names()
    }

    /// The request for these values.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<Request, RenderError> {
        let mut request =
            Request { method: self.method, url: self.url.render(values)?, headers: Vec::new(), body: None };
        for (name, value) in &self.headers {
            if let Some(value) = present(value.render(values, Escape::Header))? {
                request.headers.push((name.clone(), value));
            }
        }
        if let Some((username, password)) = &self.basic {
            request.headers.push(("authorization".to_owned(), basic(username, password, values)?));
        }
        if let Some(body) = &self.body {
            let (kind, text) = body.render(values)?;
            request.body = Some(text);
            self.add_default(&mut request, "content-type", kind);
        }
        self.add_default(&mut request, "accept", Some("application/json"));
        self.add_default(&mut request, "user-agent", Some(USER_AGENT));
        Ok(request)
    }

    fn add_default(&self, request: &mut Request, name: &str, value: Option<&str>) {
        let given = self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if let Some(value) = value.filter(|_| !given) {
            request.headers.push((name.to_owned(), Secret::new(value.to_owned())));
        }
    }
}

impl Body {
    /// The content type, and the text.
    fn render(&self, values: &Values<'_>) -> Result<(Option<&'static str>, Secret), RenderError> {
        match self {
            Self::Json(template) => Ok((Some("application/json"), template.render(values, Escape::Json)?)),
            Self::Text(template) => Ok((None, template.render(values, Escape::Nothing)?)),
            Self::Form(entries) => {
                let mut pieces = Vec::new();
                for (name, value) in entries {
                    if let Some(value) = present(value.render(values, Escape::Query))? {
                        let mark = if pieces.is_empty() { "" } else { "&" };
                        pieces.push(Secret::new(format!("{mark}{name}=")));
                        pieces.push(value);
                    }
                }
                Ok((Some("application/x-www-form-urlencoded"), join(&pieces)))
            }
        }
    }
}

/// The value of `Authorization` for HTTP Basic (RFC 7617).
fn basic(username: &Template, password: &Template, values: &Values<'_>) -> Result<Secret, RenderError> {
    let unfit = |template: &Template, detail| RenderError::unfit(template.names().next().unwrap_or_default(), detail);
    let user = username.render(values, Escape::Nothing)?;
    let secret = password.render(values, Escape::Nothing)?;
    if user.expose().contains(':') {
        return Err(unfit(username, "must not hold a colon"));
    }
    for (template, value) in [(username, &user), (password, &secret)] {
        if value.expose().chars().any(char::is_control) {
            return Err(unfit(template, "must not hold control characters"));
        }
    }
    let pair = join(&[user, Secret::new(":".to_owned()), secret]);
    let encoded = Secret::new(STANDARD.encode(pair.expose()));
    Ok(join(&[Secret::new("Basic ".to_owned()), encoded]))
}
