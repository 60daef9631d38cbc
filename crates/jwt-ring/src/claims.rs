//! What a token says, and whether it says it to us and in time.

use std::time::Duration;

use nora_access::ports::{TokenClaims, TokenError};
use nora_kernel::{Scope, Scopes, Timestamp};
use serde::Deserialize;
use serde_json::Number;

const LEEWAY: Duration = Duration::from_secs(30);
const LONGEST_SUBJECT: usize = 255;

/// Whose tokens for whom are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The issuer: `iss` must equal it.
    pub issuer: String,
    /// The audience: `aud` must be or contain it.
    pub audience: String,
}

/// The claims of a token whose signature is good.
#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: Audience,
    exp: Number,
    nbf: Option<Number>,
    sub: String,
    workspace: String,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    pub(crate) fn accept(self, expected: &Expected, now: Timestamp) -> Result<TokenClaims, TokenError> {
        if !(self.is_for(expected) && self.is_current(now) && is_subject(&self.sub)) {
            return Err(TokenError::Invalid);
        }
        let workspace = self.workspace.parse().map_err(|_| TokenError::Invalid)?;
        let scopes = Scopes::from_known(&self.scope.unwrap_or_default()).without(Scope::Admin);
        Ok(TokenClaims { subject: self.sub, workspace, scopes })
    }

    fn is_for(&self, expected: &Expected) -> bool {
        let audience = match &self.aud {
            Audience::One(audience) => *audience == expected.audience,
            Audience::Several(audiences) => audiences.contains(&expected.audience),
        };
        audience && self.iss == expected.issuer
    }

    fn is_current(&self, now: Timestamp) -> bool {
        let expires = numeric_date(&self.exp);
        let begins = self.nbf.as_ref().map(numeric_date);
        expires.is_some_and(|expires| now < expires.after(LEEWAY))
            && begins.is_none_or(|begins| begins.is_some_and(|begins| begins <= now.after(LEEWAY)))
    }
}

/// Seconds since 1970, with or without a fraction, as RFC 7519 section 2 has it. Fractions are cut off.
fn numeric_date(number: &Number) -> Option<Timestamp> {
    let seconds = match number.as_i64() {
        Some(seconds) => seconds,
        None => Duration::try_from_secs_f64(number.as_f64()?).ok()?.as_secs().try_into().unwrap_or(i64::MAX),
    };
    Some(Timestamp::from_microseconds(seconds.saturating_mul(1_000_000)))
}

/// The subject goes into audit lines: it must be there, be short, and break no line.
fn is_subject(subject: &str) -> bool {
    (1..=LONGEST_SUBJECT).contains(&subject.len()) && !subject.chars().any(char::is_control)
}
