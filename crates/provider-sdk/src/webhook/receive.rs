//! From a request to what becomes of it.

use nora_kernel::Timestamp as Time;

use super::body::Body;
use super::verify::{Checked, Proof, verify};
use super::{
    ChannelKeys, Handshake, HandshakeMethod, InboundEvent, InboundHeaders, InboundRequest, Received, Refusal,
    RefusalReason, Reverified, Verification, VerificationMethod, WebhookScheme, answer, event,
};

impl WebhookScheme {
    /// Verifies a request, and says what becomes of it. `now` is the time of its arrival.
    ///
    /// This is all there is between the internet and the inbox: it is pure, allocates little, and reads nothing of a
    /// body before the signature over it was found to be right. (Three kinds of requests carry no signature, and are
    /// recognised by their content: unsigned challenges and forms, and the handshake that brings the secret.)
    pub fn receive(&self, request: &InboundRequest<'_>, keys: &ChannelKeys<'_>, now: Time) -> Received {
        self.take(request, keys, now).unwrap_or_else(|reason| {
            let status = if reason.is_of_signature() { self.reject_status } else { 400 };
            Received::Refused(Refusal { reason, status })
        })
    }

    fn take(&self, request: &InboundRequest<'_>, keys: &ChannelKeys<'_>, now: Time) -> Checked<Received> {
        let body = Body::of(*request, self);
        if let Some(received) = answer::unsigned(self, request, &body, keys)? {
            return Ok(received);
        }
        if request.method != HandshakeMethod::Post {
            return Err(RefusalReason::UnexpectedMethod);
        }
        if keys.awaiting_handshake {
            return Err(RefusalReason::AwaitingHandshake);
        }
        let proof = if keys.unverified { None } else { Some(self.prove(request, &body, keys, now)?) };
        self.check_body(&body)?;
        if let Some(reply) = answer::signed(self, &body, keys)? {
            return Ok(Received::Answer(reply));
        }
        Ok(Received::Event(self.event(request, &body, proof)))
    }

    fn prove(
        &self,
        request: &InboundRequest<'_>,
        body: &Body<'_>,
        keys: &ChannelKeys<'_>,
        now: Time,
    ) -> Checked<Proof> {
        let way = self.deciding(request.headers).ok_or(RefusalReason::MissingSignature)?;
        verify(&way.method, request, body, keys, now)
    }

    /// The way that decides over a request with these headers: the first whose header is there.
    pub fn deciding(&self, headers: &InboundHeaders<'_>) -> Option<&Verification> {
        self.verify.iter().find(|way| {
            let names = way.method.headers();
            names.is_empty() || names.iter().any(|name| headers.contains(name))
        })
    }

    /// A scheme that signs challenges for whoever asks would sign a number or a word too, which is JSON: its events
    /// are objects and arrays, which no challenge is.
    fn check_body(&self, body: &Body<'_>) -> Checked<()> {
        let signs_challenges = self.handshakes.iter().any(|handshake| matches!(handshake, Handshake::SignQuery { .. }));
        if body.bytes().is_empty() {
            return if self.empty_body { Ok(()) } else { Err(RefusalReason::BadBody) };
        }
        let fits = body.parses() && (!signs_challenges || body.is_compound());
        if fits { Ok(()) } else { Err(RefusalReason::BadBody) }
    }

    fn event(&self, request: &InboundRequest<'_>, body: &Body<'_>, proof: Option<Proof>) -> InboundEvent {
        let id = self.delivery_id.as_ref().and_then(|id| Some((body.locate(&id.locator)?, id.signed)));
        InboundEvent {
            reverifiable: proof.is_none()
                || self.deciding(request.headers).is_some_and(|way| way.method.can_reverify()),
            dedupe_key: proof.as_ref().and_then(|proof| event::dedupe_key(id.as_ref(), proof, request.body)),
            verified_by: proof.map(|proof| proof.by),
            delivery_id: id.and_then(|(parts, _)| event::label(&parts)),
            event_type: self.event_type.as_ref().and_then(|kind| event::label(&body.locate(kind)?)),
            ordering_key: self.ordering_key.as_ref().and_then(|pointer| body.text_at(pointer)).map(event::lane),
            body_override: event::without_token(self, body),
            masked_headers: self.masked_headers(request.headers),
        }
    }

    /// Verifies a stored request again, under the secrets of today. `request` is as it was stored: headers as in
    /// [`InboundEvent::masked_headers`], the body with its override, the query where there was one; `received_at`, the
    /// recorded time of its arrival, is now.
    pub fn reverify(&self, request: &InboundRequest<'_>, keys: &ChannelKeys<'_>, received_at: Time) -> Reverified {
        if keys.unverified {
            return Reverified::Verified(None);
        }
        if self.deciding(request.headers).is_some_and(|way| !way.method.can_reverify()) {
            return Reverified::Recorded;
        }
        match self.prove(request, &Body::of(*request, self), keys, received_at) {
            Ok(proof) => Reverified::Verified(Some(proof.by)),
            Err(reason) => Reverified::Refused(reason),
        }
    }

    /// Whether every event can be verified again from what is stored.
    pub fn can_reverify(&self) -> bool {
        self.verify.iter().all(|way| way.method.can_reverify())
    }

    /// Whether this engine verifies the scheme in at least one way. A scheme it does not verify is no channel type.
    pub fn is_supported(&self) -> bool {
        self.verify.iter().any(|way| match &way.method {
            VerificationMethod::Code => false,
            VerificationMethod::Jwt { jwks_url, .. } => jwks_url.is_none(),
            _ => true,
        })
    }
}

impl VerificationMethod {
    /// Whether what verifies a request is stored with it. A signature is; a secret that travelled along is not, and
    /// neither is a JWT in `Authorization`, which is a credential.
    pub fn can_reverify(&self) -> bool {
        match self {
            Self::Hmac { .. } | Self::StandardWebhooks { .. } | Self::Signature { .. } => true,
            Self::Jwt { header, .. } => header != "authorization",
            Self::Token { .. } | Self::Basic | Self::Code | Self::None => false,
        }
    }
}
