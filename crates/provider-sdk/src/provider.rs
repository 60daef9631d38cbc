//! The port every provider implements.

use async_trait::async_trait;
use nora_kernel::{FieldName, Timestamp};

use crate::webhook::{ChannelKeys, InboundRequest, Received, Refusal, RefusalReason};
use crate::{Connection, Context, Manifest, Outcome};

/// A field that a provider refuses for a reason its schema cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field.
    pub field: FieldName,
    /// What to change, in our words; it never repeats the value.
    pub detail: String,
}

/// One third party.
///
/// Most providers are a manifest and nothing else. Code implements this trait only where a protocol asks for it.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What the provider is.
    fn manifest(&self) -> &Manifest;

    /// Checks values beyond what the schema says, before anything is stored. It does no I/O.
    ///
    /// Values that are kept from before need not be in `connection`: what is absent is no problem here.
    fn check(&self, connection: &Connection<'_>) -> Vec<FieldProblem> {
        self.manifest().check_form(connection)
    }

    /// Proves, without changing anything at the third party, that the credentials are accepted.
    ///
    /// It never panics and never returns `Verified` for an answer that an invalid credential gets too.
    async fn test(&self, connection: &Connection<'_>, context: &dyn Context) -> Outcome;

    /// Verifies a request to a channel of this provider, and says what becomes of it. It does no I/O.
    ///
    /// The scheme of the manifest does it. A type of channel is only made of a scheme that needs nothing else
    /// ([`WebhookScheme::is_supported`](crate::webhook::WebhookScheme::is_supported)), so what stands here instead is
    /// held to the suite, and serves no channel.
    fn receive(&self, request: &InboundRequest<'_>, keys: &ChannelKeys<'_>, now: Timestamp) -> Received {
        match self.manifest().webhook() {
            Some(scheme) => scheme.receive(request, keys, now),
            None => Received::Refused(Refusal { reason: RefusalReason::Unsupported, status: 400 }),
        }
    }
}
