//! Foreign errors, told apart by type and never by text.

use std::error::Error;
use std::io::{self, ErrorKind};

use nora_provider_sdk::NetworkError;

/// An error and everything beneath it, outermost first.
struct Causes<'a>(Vec<&'a (dyn Error + 'static)>);

/// The class of an error of the HTTP client.
///
/// What the address guard said inside the client comes out as it was; the log gets the innermost cause, without the
/// URL.
pub(crate) fn of_http(error: reqwest::Error) -> NetworkError {
    let error = error.without_url();
    let causes = Causes::of(&error);
    let class = if let Some(ours) = causes.ours() {
        ours
    } else if causes.are_tls() || (error.is_connect() && causes.include(&[ErrorKind::UnexpectedEof])) {
        NetworkError::Tls
    } else if error.is_timeout() {
        NetworkError::Timeout
    } else if causes.are_malformed() || error.is_builder() {
        NetworkError::Protocol
    } else {
        NetworkError::Refused
    };
    causes.log("a request got no answer", class);
    class
}

/// The class of an error of a TLS handshake.
pub(crate) fn of_handshake(error: &io::Error) -> NetworkError {
    let causes = Causes::of(error);
    let class = match causes.ours() {
        Some(ours) => ours,
        None if !causes.are_tls() && causes.include(&[ErrorKind::TimedOut]) => NetworkError::Timeout,
        None => NetworkError::Tls,
    };
    causes.log("a TLS session was not made", class);
    class
}

/// The class of an error of a plain stream.
pub(crate) fn of_stream(error: &io::Error) -> NetworkError {
    if error.kind() == ErrorKind::TimedOut { NetworkError::Timeout } else { NetworkError::Refused }
}

impl<'a> Causes<'a> {
    fn of(error: &'a (dyn Error + 'static)) -> Self {
        let mut causes = Self(Vec::new());
        let mut next = Some(error);
        while let Some(error) = next {
            causes.0.push(error);
            // `source` of an I/O error is the source of the error it wraps and steps over that one itself.
            next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        causes
    }

    fn ours(&self) -> Option<NetworkError> {
        self.0.iter().find_map(|cause| cause.downcast_ref::<NetworkError>()).copied()
    }

    fn are_tls(&self) -> bool {
        self.0.iter().any(|cause| cause.is::<rustls::Error>())
    }

    fn are_malformed(&self) -> bool {
        let parse = |cause: &&(dyn Error + 'static)| cause.downcast_ref().is_some_and(hyper::Error::is_parse);
        self.0.iter().any(parse) || self.include(&[ErrorKind::InvalidData, ErrorKind::InvalidInput])
    }

    fn include(&self, kinds: &[ErrorKind]) -> bool {
        self.0.iter().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| kinds.contains(&error.kind()))
    }

    fn log(&self, message: &'static str, class: NetworkError) {
        let innermost = self.0.last().map(tracing::field::display);
        tracing::debug!(%class, cause = innermost, "{message}");
    }
}
