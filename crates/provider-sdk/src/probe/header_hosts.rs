//! Which hosts a secret is sent to, where it is sent in headers and nowhere else.

use super::request::{Body, RequestTemplate};
use super::{Test, TestKind};
use crate::destination::is_host_name;
use crate::template::Template;
use crate::values::Values;

impl Test {
    /// The hosts to which the test's requests send `field` as the text of a header; empty if any of them sends it in
    /// another way or to what is not an `https` host name on its own port, or none sends it at all.
    pub(crate) fn header_hosts(&self, field: &str, values: &Values<'_>) -> Vec<String> {
        let TestKind::Http(_) = &self.kind else { return Vec::new() };
        let mut hosts = Vec::new();
        for request in self.templates().filter(|request| request.mentions(field)) {
            let Some(host) = request.header_host(field, values) else { return Vec::new() };
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }
}

fn holds(template: &Template, field: &str) -> bool {
    template.names().any(|name| name == field)
}

impl RequestTemplate {
    fn mentions(&self, field: &str) -> bool {
        self.mentions_outside_headers(field) || self.headers.iter().any(|(_, value)| holds(value, field))
    }

    fn mentions_outside_headers(&self, field: &str) -> bool {
        let basic = self.basic.as_ref().is_some_and(|(user, password)| holds(user, field) || holds(password, field));
        let body = self.body.as_ref().is_some_and(|body| match body {
            Body::Json(text) | Body::Text(text) => holds(text, field),
            Body::Form(entries) => entries.iter().any(|(_, value)| holds(value, field)),
        });
        basic || body || self.url.names().any(|name| name == field)
    }

    fn header_host(&self, field: &str, values: &Values<'_>) -> Option<String> {
        let url = self.url.render(values).ok().filter(|_| !self.mentions_outside_headers(field))?;
        let plain = url.scheme() == "https" && url.port().is_none();
        url.host_str().filter(|host| plain && is_host_name(host)).map(ToOwned::to_owned)
    }
}
