//! JWTs (RFC 7519) under a shared secret.

use nora_kernel::Timestamp as Time;
use subtle::ConstantTimeEq as _;

use super::json::{self, Found};
use super::signed::{Message, full_url};
use super::verify::{Checked, find, required};
use super::{
    Audience, ChannelKeys, HashAlgorithm, InboundRequest, JwtAlgorithm, Key, KeyEncoding, RefusalReason,
    VerificationMethod, encoding,
};
use crate::signature::sha256;

/// Which secret made the JWT of a request, whose claims then hold for this request and this time.
///
/// One that does not cover the body must end: its claims are all there is against a repetition.
pub(super) fn verify(
    method: &VerificationMethod,
    request: &InboundRequest<'_>,
    keys: &ChannelKeys<'_>,
    now: Time,
) -> Checked<Option<usize>> {
    let VerificationMethod::Jwt {
        algorithm: JwtAlgorithm::Hs256,
        header,
        prefix,
        issuer,
        audience,
        body_hash_claim,
        ..
    } = method
    else {
        return Err(RefusalReason::Unsupported);
    };
    let token = required(request, header)?.strip_prefix(prefix.as_str()).ok_or(RefusalReason::MalformedSignature)?;
    let (signed, mac) = token.rsplit_once('.').ok_or(RefusalReason::MalformedSignature)?;
    let (head, claims) = signed.split_once('.').ok_or(RefusalReason::MalformedSignature)?;
    let mac = [encoding::base64_url(mac).ok_or(RefusalReason::MalformedSignature)?];
    let text = |part| encoding::base64_url(part).and_then(|bytes| String::from_utf8(bytes).ok());
    let (head, claims) = text(head).zip(text(claims)).ok_or(RefusalReason::MalformedSignature)?;
    let algorithm = json::at(&head, "/alg").and_then(Found::text);
    if algorithm.as_deref() != Some(JwtAlgorithm::Hs256.as_str()) || json::at(&head, "/crit").is_some() {
        return Err(RefusalReason::MalformedSignature);
    }
    let message = Message::of([signed.as_bytes()]);
    let key = Key { encoding: KeyEncoding::Utf8, prefix: String::new() };
    let Some(by) = find(keys, &key, |key| message.has_mac(HashAlgorithm::Sha256, key, &mac)) else { return Ok(None) };
    let claims = Claims(&claims);
    claims.check_times(now, body_hash_claim.is_none())?;
    claims.check_parties(issuer.as_deref(), audience.as_ref(), request)?;
    let hash_fits = body_hash_claim.as_ref().is_none_or(|claim| claims.is_hash_of(claim, request.body));
    if hash_fits { Ok(Some(by)) } else { Err(RefusalReason::Mismatch) }
}

struct Claims<'c>(&'c str);

impl Claims<'_> {
    fn text(&self, claim: &str) -> Option<String> {
        json::at(self.0, &format!("/{claim}"))?.text()
    }

    /// A time of RFC 7519 in whole seconds since 1970; a fraction is dropped.
    fn seconds(&self, claim: &str) -> Checked<Option<i64>> {
        let Some(text) = self.text(claim) else { return Ok(None) };
        let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
        whole.parse().map(Some).map_err(|_| RefusalReason::MalformedRequest)
    }

    fn check_times(&self, now: Time, must_end: bool) -> Checked<()> {
        let (end, start) = (self.seconds("exp")?, self.seconds("nbf")?);
        if end.is_none() && must_end {
            return Err(RefusalReason::MalformedRequest);
        }
        let now = now.as_seconds();
        let holds = end.is_none_or(|end| now < end) && start.is_none_or(|start| start <= now);
        if holds { Ok(()) } else { Err(RefusalReason::Stale) }
    }

    fn check_parties(
        &self,
        issuer: Option<&str>,
        audience: Option<&Audience>,
        request: &InboundRequest<'_>,
    ) -> Checked<()> {
        let is_issued = issuer.is_none_or(|issuer| self.text("iss").as_deref() == Some(issuer));
        let claimed = audience.map(|audience| (audience, self.text("aud").unwrap_or_default()));
        let meant = claimed.is_none_or(|(audience, claimed)| match audience {
            Audience::ChannelUrl => claimed == request.url || claimed == full_url(request),
            Audience::Text(text) => claimed == *text,
        });
        if is_issued && meant { Ok(()) } else { Err(RefusalReason::Mismatch) }
    }

    fn is_hash_of(&self, claim: &str, body: &[u8]) -> bool {
        let digest = self.text(claim).and_then(|text| encoding::hex(&text));
        digest.is_some_and(|digest| sha256(body).ct_eq(&digest).into())
    }
}
