//! Checks of how webhooks are verified: every vector of a provider, and what is no longer that vector.

mod flips;
mod forgery;

use nora_provider_sdk::Provider;
use nora_provider_sdk::webhook::{
    Expected, HandshakeMethod, InboundHeaders, MAX_HEADER, Received, RefusalReason, Vector, Verification,
    VerificationMethod,
};

use super::Finding;
use forgery::Forgery;

/// A vector whose request one way of its scheme verifies.
struct Signed<'a> {
    provider: &'a dyn Provider,
    vector: &'a Vector,
    way: &'a Verification,
}

/// Every vector that holds a signature, a token or a credential.
fn signed(provider: &dyn Provider) -> Vec<Signed<'_>> {
    let Some(scheme) = provider.manifest().webhook() else { return Vec::new() };
    let keyed = scheme.vectors.iter().filter(|vector| vector.secret.is_some());
    let signed = keyed.filter_map(|vector| {
        let headers: InboundHeaders<'_> =
            vector.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let way = scheme.deciding(&headers).filter(|way| is_keyed(&way.method))?;
        let posts = vector.method == HandshakeMethod::Post;
        posts.then_some(Signed { provider, vector, way })
    });
    signed.collect()
}

fn is_keyed(method: &VerificationMethod) -> bool {
    !matches!(method, VerificationMethod::None)
}

impl Signed<'_> {
    fn original(&self) -> Forgery {
        Forgery::of(self.vector)
    }

    /// The headers the signature or token may be in, as far as this request has them.
    fn signature_headers(&self) -> Vec<&str> {
        let has = |name: &&str| self.vector.headers.iter().any(|(known, _)| known == name);
        self.way.method.headers().into_iter().filter(has).collect()
    }

    /// Why a request is refused; `None` if it is not, or for its body alone.
    fn refusal(&self, forgery: &Forgery) -> Option<RefusalReason> {
        match forgery.send_to(self.provider) {
            Received::Refused(refusal) => Some(refusal.reason)
                .filter(|reason| *reason != RefusalReason::BadBody || self.vector.expected != Expected::Signature),
            Received::Event(_) | Received::Answer(_) | Received::Enrol { .. } => None,
        }
    }

    /// Complains about a request that should have been refused.
    fn demand_refusal(&self, forgery: &Forgery, what: &str) -> Finding {
        match self.refusal(forgery) {
            Some(_) => Ok(()),
            None => Err(format!("{:?}: {what} was taken", self.vector.name)),
        }
    }
}

/// Each way to verify, and each handshake, is shown at least once.
pub(super) async fn webhooks_are_recorded(provider: &dyn Provider) -> Finding {
    let Some(scheme) = provider.manifest().webhook() else { return Ok(()) };
    let shown = signed(provider);
    for (index, way) in scheme.verify.iter().enumerate().filter(|(_, way)| is_keyed(&way.method)) {
        if !shown.iter().any(|signed| std::ptr::eq(signed.way, way)) {
            return Err(format!("no vector shows a request that way {} of `webhook.verify` decides", index + 1));
        }
    }
    let answers = scheme.vectors.iter();
    let answers = answers.filter(|vector| matches!(vector.expected, Expected::Answer { .. } | Expected::Secret(_)));
    let (shown, there) = (answers.count(), scheme.handshakes.len());
    if shown < there { Err(format!("{there} handshakes, and vectors of {shown}")) } else { Ok(()) }
}

/// Any bit that the signature covers, and any of the signature itself.
pub(super) async fn flipped_bits_are_refused(provider: &dyn Provider) -> Finding {
    signed(provider).iter().try_for_each(flips::check)
}

/// Without its header, and with nothing in it.
pub(super) async fn missing_signatures_are_refused(provider: &dyn Provider) -> Finding {
    signed(provider).iter().try_for_each(|signed| {
        let names = signed.signature_headers();
        if names.is_empty() {
            return Ok(());
        }
        let (mut without, mut empty) = (signed.original(), signed.original());
        without.headers.retain(|(name, _)| !names.contains(&name.as_str()));
        empty
            .headers
            .iter_mut()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .for_each(|(_, value)| value.clear());
        signed.demand_refusal(&without, "a request without its signature")?;
        signed.demand_refusal(&empty, "a request with an empty signature")
    })
}

/// The same one twice, and another one beside it, before and after.
pub(super) async fn doubled_signatures_are_refused(provider: &dyn Provider) -> Finding {
    each_signature(provider, |signed, name, value| {
        let others = [value.to_vec(), b"x".to_vec(), Vec::new()];
        others.into_iter().try_for_each(|other| {
            let (mut before, mut after) = (signed.original(), signed.original());
            before.headers.insert(0, (name.to_owned(), other.clone()));
            after.headers.push((name.to_owned(), other));
            signed.demand_refusal(&before, "a doubled signature")?;
            signed.demand_refusal(&after, "a doubled signature")
        })
    })
}

/// Longer than any signature is.
pub(super) async fn oversized_signatures_are_refused(provider: &dyn Provider) -> Finding {
    each_signature(provider, |signed, name, value| {
        let fillers = [b' ', b',', b'0', b'='];
        fillers.into_iter().try_for_each(|filler| {
            let mut forgery = signed.original();
            let mut long = value.to_vec();
            long.resize(value.len() + MAX_HEADER, filler);
            forgery.set(name, &long);
            signed.demand_refusal(&forgery, "an oversized signature")
        })
    })
}

/// Another channel's secret, and none at all.
pub(super) async fn other_secrets_are_refused(provider: &dyn Provider) -> Finding {
    signed(provider).iter().try_for_each(|signed| {
        let mut keyless = signed.original();
        keyless.secret = None;
        signed.demand_refusal(&keyless, "a request to a channel without a secret")?;
        let mut other = signed.original();
        other.secret = Some(forgery::other_secret(&signed.way.method));
        signed.demand_refusal(&other, "a request under another secret")
    })
}

/// Beyond the tolerance, on both sides.
pub(super) async fn stale_requests_are_refused(provider: &dyn Provider) -> Finding {
    signed(provider).iter().try_for_each(|signed| {
        let tolerance = match &signed.way.method {
            VerificationMethod::StandardWebhooks { tolerance_seconds } => *tolerance_seconds,
            VerificationMethod::Hmac { timestamp: Some(timestamp), .. }
            | VerificationMethod::Signature { timestamp: Some(timestamp), .. }
                if timestamp.signed =>
            {
                timestamp.tolerance_seconds
            }
            _ => return Ok(()),
        };
        // A recorded request lies within the tolerance, so twice as much and a second is beyond it on either side.
        let beyond = std::time::Duration::from_secs(u64::from(tolerance) * 2 + 1);
        let (mut late, mut early) = (signed.original(), signed.original());
        late.now = late.now.after(beyond);
        early.now = early.now.before(beyond);
        signed.demand_refusal(&late, "an old request")?;
        signed.demand_refusal(&early, "a request of the future")
    })
}

fn each_signature(provider: &dyn Provider, check: impl Fn(&Signed<'_>, &str, &[u8]) -> Finding) -> Finding {
    signed(provider).iter().try_for_each(|signed| {
        signed.signature_headers().into_iter().try_for_each(|name| {
            let value = signed.vector.headers.iter().find(|(known, _)| known == name);
            value.map_or(Ok(()), |(_, value)| check(signed, name, value.as_bytes()))
        })
    })
}
