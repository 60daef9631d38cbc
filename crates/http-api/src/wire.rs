//! Values that look the same in every answer.

use std::borrow::Cow;
use std::fmt::Write as _;

use nora_kernel::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// A point in time: RFC 3339, UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Time(pub(crate) Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A point in time: RFC 3339, UTC."))
            .examples(["2026-11-23T09:30:00.000000Z"])
            .into()
    }
}

impl ToSchema for Time {}

/// A keyed digest: equal things have equal ones, and without this installation's key nothing can be learned from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyedDigest(pub(crate) [u8; 32]);

impl Serialize for KeyedDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = self.0.iter().fold(String::with_capacity(64), |mut digits, byte| {
            // Infallible: the target is a string.
            write!(digits, "{byte:02x}").ok();
            digits
        });
        serializer.collect_str(&format_args!("hmac-sha256:{digits}"))
    }
}

impl PartialSchema for KeyedDigest {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^hmac-sha256:[0-9a-f]{64}$"))
            .description(Some("A keyed digest: equal documents with equal credentials have equal ones."))
            .into()
    }
}

impl ToSchema for KeyedDigest {}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident as $schema:literal: $($word:literal),+;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, Serialize)]
        pub(crate) struct $name(pub(crate) &'static str);

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some(concat!($($doc),+).trim()))
                    .enum_values(Some([$($word),+]))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                $schema.into()
            }
        }
    )+};
}

// The domain knows which of these there are; what is said here is what clients are told to expect.
words! {
    /// How a runtime is spoken to.
    RuntimeKindWord as "RuntimeKind": "nora", "sidecar", "openclaw", "hermes";
    /// Whether an integration can be used. `needs_reconnect`: its secrets do not open, so they have to be sent again.
    /// `disabled`: its provider is not enabled here. Only active ones are pushed to the runtime.
    StatusWord as "IntegrationStatus": "active", "needs_reconnect", "disabled";
    /// How far a runtime is.
    SyncStateWord as "SyncState": "in_sync", "pending", "failing";
    /// How far a runtime is with its MCP servers. `unsupported`: runtimes of its kind take none.
    DeploymentStateWord as "DeploymentStateWord": "in_sync", "pending", "failing", "unsupported";
    /// What became of a variable.
    VariableStateWord as "VariableState": "live", "pending_redeploy", "unsupported", "conflict", "failed";
    /// Whether what was removed has left the runtime.
    PurgeWord as "PurgeState": "pending", "confirmed";
    /// What a channel demands of what is posted to it.
    VerificationWord as "Verification": "secret", "none", "handshake";
    /// How an event was verified, when it came or when it was last replayed. `recorded`: the secret itself was sent
    /// and is not kept, so that it cannot be looked at again. `refused`: it is not right under today's secrets.
    EventVerdictWord as "EventVerdict": "verified", "unverified", "recorded", "refused";
    /// How far an event has come.
    EventStateWord as "EventState": "pending", "delivered", "dead";
    /// Why the last delivery failed.
    DeliveryErrorWord as "DeliveryError":
        "dns", "refused", "timeout", "tls", "blocked_address", "auth", "rate_limited", "runtime_error", "bad_answer",
        "unsupported_runtime", "unreadable", "unverified", "internal";
    /// How a connection test ended.
    VerdictWord as "Verdict": "verified", "rejected", "unreachable", "unverifiable";
    /// Why: the first three where the credentials were rejected, the others where the service was unreachable.
    ReasonWord as "TestReason":
        "auth", "scope", "not_found", "dns", "tls", "timeout", "refused", "blocked_address", "rate_limited",
        "upstream_error";
    /// The kind of actor.
    ActorWord as "AuditActorKind": "api_key", "jwt", "system";
    /// What credentials were opened for.
    PurposeWord as "AuditPurpose": "sync", "test", "deployment", "verify";
    /// How it ended.
    OutcomeWord as "AuditOutcome": "success", "failure";
}
