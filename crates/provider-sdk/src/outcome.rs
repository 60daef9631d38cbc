//! What a connection test found.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use nora_kernel::is_hidden;

use crate::NetworkError;

const NOT_SPOKEN: &str = "What answers there does not speak this provider's protocol. Check the host and the port.";

const NOT_IN_THE_CLEAR: &str = "No login is sent there without TLS. Switch TLS on, or have the operator list the \
                                private network the server is in (--allow-network).";

/// How a connection test ended.
///
/// The classification is the same for every provider, so that a person who has read one answer can read them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The third party accepted the credentials in an answer only a valid credential gets.
    Verified,
    /// The third party answered and refused.
    Rejected(Rejection),
    /// No usable answer came.
    Unreachable(Unreachable),
    /// Nothing can be proved without changing something at the third party.
    Unverifiable,
}

/// Why a third party refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// The credentials are wrong, expired or revoked.
    Auth,
    /// The credentials are good but do not allow what the test reads.
    Scope,
    /// What the configuration names (an account, a project, a database) does not exist there.
    NotFound,
}

/// Why no usable answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreachable {
    /// The host name does not resolve.
    Dns,
    /// No trusted TLS session could be made.
    Tls,
    /// No answer in time.
    Timeout,
    /// The connection was refused or cut.
    Refused,
    /// The address lies in a network this installation does not call.
    BlockedAddress,
    /// Too many requests; the outcome may say how long to wait.
    RateLimited,
    /// The third party failed, redirected, or answered with something that is no answer.
    UpstreamError,
}

impl Verdict {
    /// The verdict on the wire: `verified`, `rejected`, `unreachable` or `unverifiable`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Rejected(_) => "rejected",
            Self::Unreachable(_) => "unreachable",
            Self::Unverifiable => "unverifiable",
        }
    }

    /// The reason on the wire, where the verdict has one.
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Rejected(rejection) => Some(rejection.as_str()),
            Self::Unreachable(unreachable) => Some(unreachable.as_str()),
            Self::Verified | Self::Unverifiable => None,
        }
    }
}

impl Rejection {
    /// The reason on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Scope => "scope",
            Self::NotFound => "not_found",
        }
    }
}

impl Unreachable {
    /// The reason on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::BlockedAddress => "blocked_address",
            Self::RateLimited => "rate_limited",
            Self::UpstreamError => "upstream_error",
        }
    }
}

/// The name a third party gives the account behind a credential, fit to be shown.
///
/// At most 100 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq)]
pub struct Account(String);

impl Account {
    /// Cleans `text`. `None` if nothing is left to show.
    pub fn new(text: &str) -> Option<Self> {
        let shown: String = text.chars().filter(|character| !is_hidden(*character)).take(100).collect();
        let shown = shown.trim();
        (!shown.is_empty()).then(|| Self(shown.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Account({:?})", self.0)
    }
}

/// The result of a connection test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Whose credential it is, where the third party says so.
    pub account: Option<Account>,
    /// A sentence of ours (never a peer's text) on what was proved, or what to do next.
    pub advice: Option<Cow<'static, str>>,
    /// How long to wait, where the third party said so.
    pub retry_after: Option<Duration>,
    /// The HTTP status the outcome rests on, if there was one.
    pub status: Option<u16>,
}

impl Outcome {
    /// An outcome with nothing but its verdict.
    pub const fn new(verdict: Verdict) -> Self {
        Self { verdict, account: None, advice: None, retry_after: None, status: None }
    }

    /// The credentials were accepted.
    pub const fn verified(account: Option<Account>) -> Self {
        Self { verdict: Verdict::Verified, account, advice: None, retry_after: None, status: None }
    }

    /// The third party refused.
    pub const fn rejected(reason: Rejection) -> Self {
        Self::new(Verdict::Rejected(reason))
    }

    /// No usable answer came.
    pub const fn unreachable(reason: Unreachable) -> Self {
        Self::new(Verdict::Unreachable(reason))
    }

    /// Nothing can be proved, and why.
    pub fn unverifiable(advice: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Verdict::Unverifiable).advise(advice)
    }

    /// No connection could be made over which a login would have gone in the clear
    /// ([`Transport::Plaintext`](crate::Transport::Plaintext)).
    pub fn unreachable_in_the_clear(error: NetworkError) -> Self {
        let outcome = Self::unreachable(error.into());
        if error == NetworkError::BlockedAddress { outcome.advise(NOT_IN_THE_CLEAR) } else { outcome }
    }

    /// Adds a sentence of ours.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<Cow<'static, str>>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds a sentence of ours if it ended like this.
    ///
    /// ```
    /// use nora_provider_sdk::{Outcome, Rejection, Verdict};
    ///
    /// let refused = Outcome::rejected(Rejection::Scope);
    /// let advised = refused.advise_on(&Verdict::Rejected(Rejection::Scope), "The key needs the scope `read`.");
    /// assert!(advised.advice.is_some());
    /// ```
    #[must_use]
    pub fn advise_on(self, verdict: &Verdict, advice: impl Into<Cow<'static, str>>) -> Self {
        if self.verdict == *verdict { self.advise(advice) } else { self }
    }

    /// Notes the HTTP status it rests on.
    ///
    /// ```
    /// use nora_provider_sdk::Outcome;
    ///
    /// assert_eq!(Outcome::verified(None).with_status(200).status, Some(200));
    /// ```
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }
}

/// No answer came, or none of the protocol's.
impl From<NetworkError> for Box<Outcome> {
    fn from(error: NetworkError) -> Self {
        let outcome = Outcome::unreachable(error.into());
        Self::new(if error == NetworkError::Protocol { outcome.advise(NOT_SPOKEN) } else { outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_fit_to_be_shown() {
        assert_eq!(Account::new("octo\u{202e}cat\r\n").unwrap().as_str(), "octocat");
        assert_eq!(Account::new(&"x".repeat(500)).unwrap().as_str().len(), 100);
        assert_eq!(Account::new(" \n\t "), None);
    }
}
