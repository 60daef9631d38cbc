//! Hosts and domains as a manifest writes them.

use super::error::{Checked, Problem};
use super::format::Text;
use crate::destination::is_host_name;

/// A domain others lie under, with a leading dot put in front.
pub(crate) fn domain(text: &Text) -> Checked<String> {
    host(text).map(|host| format!(".{host}"))
}

/// A whole host name.
pub(crate) fn host(text: &Text) -> Checked<String> {
    let name = text.get_ref();
    if is_host_name(name) && name.contains('.') {
        Ok(name.clone())
    } else {
        Err(Problem::with(text, "write a host name in lower case, such as `acme.example`"))
    }
}
