//! A request as it arrived, and what a channel verifies it with.

use nora_kernel::Secret;

use super::HandshakeMethod;

/// A request as it arrived. Nothing in it is trusted, and nothing of it is changed.
#[derive(Debug, Clone, Copy)]
pub struct InboundRequest<'a> {
    /// Its method.
    pub method: HandshakeMethod,
    /// The channel's public URL, as it is given to the sender: scheme, host, path, and the port if it is not the usual
    /// one. Some services sign it.
    pub url: &'a str,
    /// The query as it was sent, without the `?`; empty where there is none.
    pub query: &'a str,
    /// The headers.
    pub headers: &'a InboundHeaders<'a>,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// Headers as they arrived: in order, with every one of a doubled header. Names are compared without case, values are
/// bytes without the white space around them, as an HTTP library hands them over.
#[derive(Debug, Clone, Default)]
pub struct InboundHeaders<'a>(Vec<(&'a str, &'a [u8])>);

impl<'a> InboundHeaders<'a> {
    /// Name and value of each header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0.iter().copied()
    }

    /// The values of the header `name`, in order.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'a [u8]> + 's {
        self.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether there is a header `name`, be it empty.
    pub fn contains(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
}

impl<'a> FromIterator<(&'a str, &'a [u8])> for InboundHeaders<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a [u8])>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

/// What a channel verifies with at this moment.
///
/// Without a secret everything is refused, unless `unverified` says that somebody chose so.
#[derive(Debug, Clone, Copy, Default)]
pub struct ChannelKeys<'a> {
    /// Every secret or public key that is valid now, the newest first. [`InboundEvent::verified_by`] counts in it.
    ///
    /// [`InboundEvent::verified_by`]: super::InboundEvent::verified_by
    pub secrets: &'a [&'a Secret],
    /// What a handshake must repeat, where its scheme
    /// [needs one](super::WebhookScheme::needs_verify_token).
    pub verify_token: Option<&'a Secret>,
    /// Whether the channel was made with `"verification": "none"`: signatures are then not looked at.
    pub unverified: bool,
    /// Whether the channel still waits for the handshake in which its secret is born. Nothing else is taken before.
    pub awaiting_handshake: bool,
}
