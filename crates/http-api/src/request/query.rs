//! Query strings: each parameter at most once, unknown ones ignored.

use std::fmt;
use std::str::FromStr;

use actix_web::HttpRequest;
use url::form_urlencoded;

use crate::problem::{ErrorCode, Place, Problem};

/// A request's query.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self(request.query_string())
    }

    /// The value of a parameter. An empty one counts as absent.
    pub(crate) fn text(self, name: &'static str) -> Result<Option<String>, Problem> {
        let mut values = form_urlencoded::parse(self.0.as_bytes()).filter(|(key, _)| key == name);
        let value = values.next();
        if values.next().is_some() {
            return Err(invalid(name, "is given more than once"));
        }
        Ok(value.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty()))
    }

    /// The value of a parameter, parsed.
    pub(crate) fn parsed<T: FromStr<Err: fmt::Display>>(self, name: &'static str) -> Result<Option<T>, Problem> {
        let value = self.text(name)?;
        value.map(|value| value.parse().map_err(|error: T::Err| invalid(name, error.to_string()))).transpose()
    }
}

fn invalid(name: &'static str, detail: impl Into<String>) -> Problem {
    let detail = detail.into();
    Problem::at(ErrorCode::QueryInvalid, format!("{name}: {detail}"), vec![Place::parameter(name, detail)])
}

#[cfg(test)]
mod tests {
    use nora_kernel::PageLimit;

    use super::*;

    #[test]
    fn a_parameter_is_given_once_or_not_at_all() {
        let query = Query("q=a+b%20c&limit=7&x=1&x=2&empty=&%71%32=v");
        assert_eq!(query.text("q").unwrap().as_deref(), Some("a b c"));
        assert_eq!(query.text("q2").unwrap().as_deref(), Some("v"));
        assert_eq!(query.text("empty").unwrap(), None);
        assert_eq!(query.text("absent").unwrap(), None);
        assert_eq!(query.parsed::<PageLimit>("limit").unwrap().map(PageLimit::get), Some(7));
        assert_eq!(query.text("x").unwrap_err().code(), ErrorCode::QueryInvalid);
        assert_eq!(query.parsed::<PageLimit>("q").unwrap_err().code(), ErrorCode::QueryInvalid);
    }
}
