//! An error with everything that caused it, for the log.

use std::error::Error;

/// The messages from `error` down to its first cause, with control characters escaped: a peer's text must not forge a
/// line of the log.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut messages = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        messages.push_str(": ");
        messages.push_str(&error.to_string());
        cause = error.source();
    }
    messages.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use nora_kernel::Unavailable;

    use super::*;

    #[test]
    fn the_whole_chain_is_told_on_one_line() {
        let error = Unavailable::transient("connection reset\r\nINFO all is well");
        assert_eq!(chain(&error), "a dependency is unavailable: connection reset\\r\\nINFO all is well");
    }
}
