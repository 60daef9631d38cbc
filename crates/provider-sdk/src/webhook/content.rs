//! What an event says, and who says it.

use super::body::Body;
use super::{HandshakeMethod, InboundHeaders, InboundRequest, WebhookScheme};

/// The longest content, in bytes.
const MAX_CONTENT: usize = 64 * 1024;
/// The longest name of a sender, in bytes.
const MAX_SENDER: usize = 255;

impl WebhookScheme {
    /// What a stored event says and who says it, for an agent: where the scheme names their places, what is there;
    /// else the body as text, if it is UTF-8, and nobody. The content has 64 KiB at most, the sender 255 bytes.
    pub fn content_and_sender(&self, headers: &InboundHeaders<'_>, body: &[u8]) -> (String, Option<String>) {
        let request = InboundRequest { method: HandshakeMethod::Post, url: "", query: "", headers, body };
        let read = Body::of(request, self);
        let located = |locator: &Option<super::Locator>| locator.as_ref().and_then(|locator| read.locate(locator));
        let content = located(&self.content).map(|parts| parts.concat());
        let content = content.unwrap_or_else(|| std::str::from_utf8(body).unwrap_or_default().to_owned());
        let sender = located(&self.sender).map(|parts| cut(parts.concat(), MAX_SENDER));
        (cut(content, MAX_CONTENT), sender)
    }
}

fn cut(mut text: String, length: usize) -> String {
    text.truncate(text.floor_char_boundary(length));
    text
}
