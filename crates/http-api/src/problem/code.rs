//! One table from error codes to statuses and titles.

use actix_web::http::StatusCode;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $code:literal, $title:literal;)+) => {
        /// Every way in which a request can fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ErrorCode {
            $($(#[$doc])* $name),+
        }

        impl ErrorCode {
            /// The stable name a client can match on.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }

            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),+ }
            }

            /// The same for every occurrence.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),+ }
            }

            /// The `type` of the problem: a name to compare, not an address to fetch.
            pub(crate) const fn type_uri(self) -> &'static str {
                match self { $(Self::$name => concat!("urn:nora:problem:", $code)),+ }
            }

            /// Every code with its status, in the order of the table.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

codes! {
    JsonMalformed = BAD_REQUEST, "json_malformed", "The body is not acceptable JSON";
    BodyInvalid = BAD_REQUEST, "body_invalid", "The body is not what this route takes";
    BodyIncomplete = BAD_REQUEST, "body_incomplete", "The body did not arrive whole";
    QueryInvalid = BAD_REQUEST, "query_invalid", "A query parameter is not valid";
    IdempotencyKeyInvalid = BAD_REQUEST, "idempotency_key_invalid", "The Idempotency-Key is not valid";
    IdempotencyNotSupported = BAD_REQUEST, "idempotency_not_supported", "This route takes no Idempotency-Key";
    ProviderMissing = BAD_REQUEST, "provider_missing", "No provider is named";
    ProviderUnknown = BAD_REQUEST, "provider_unknown", "The catalog has no such provider";
    ProviderDisabled = BAD_REQUEST, "provider_disabled", "The provider is not enabled here";
    TokenMissing = BAD_REQUEST, "token_missing", "The provider needs a token";
    ConfigInvalid = BAD_REQUEST, "config_invalid", "The configuration is not valid for this provider";
    SecretRequired = BAD_REQUEST, "secret_required", "Secrets have to be sent again";
    TokenRequired = BAD_REQUEST, "token_required", "Tokens have to be sent again";
    RuntimeAddressRefused = BAD_REQUEST, "runtime_address_refused", "The address is not one runtimes may have";
    ChannelTypeMissing = BAD_REQUEST, "channel_type_missing", "No type of channel is named";
    ChannelTypeUnknown = BAD_REQUEST, "channel_type_unknown", "There is no such type of channel";
    VerificationRequired = BAD_REQUEST, "verification_required", "Nothing would verify what comes in";
    WebhookRefused = BAD_REQUEST, "webhook_refused", "The request is not accepted";
    Unauthenticated = UNAUTHORIZED, "unauthenticated", "A valid bearer token is needed";
    ScopeMissing = FORBIDDEN, "scope_missing", "The token lacks a scope";
    WorkspaceForbidden = FORBIDDEN, "workspace_forbidden", "Only admin may name another workspace";
    NotFound = NOT_FOUND, "not_found", "There is no such route";
    CatalogItemNotFound = NOT_FOUND, "catalog_item_not_found", "There is no such catalog item";
    AgentNotFound = NOT_FOUND, "agent_not_found", "There is no such agent";
    GatewayNotFound = NOT_FOUND, "gateway_not_found", "The agent has no gateway";
    IntegrationNotFound = NOT_FOUND, "integration_not_found", "There is no such integration";
    ChannelNotFound = NOT_FOUND, "channel_not_found", "There is no such channel";
    EventNotFound = NOT_FOUND, "event_not_found", "There is no such event";
    KeyNotFound = NOT_FOUND, "key_not_found", "There is no such key";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "The route does not take this method";
    NotAcceptable = NOT_ACCEPTABLE, "not_acceptable", "No representation is acceptable";
    BodyTimeout = REQUEST_TIMEOUT, "body_timeout", "The body took too long to arrive";
    AgentExists = CONFLICT, "agent_exists", "The agent exists";
    GatewayTaken = CONFLICT, "gateway_taken", "The gateway belongs to another agent";
    IntegrationExists = CONFLICT, "integration_exists", "The integration exists";
    ChannelExists = CONFLICT, "channel_exists", "The channel exists";
    RuntimeCannotReceive = CONFLICT, "runtime_cannot_receive", "The agent's runtime takes no events";
    SecretsFull = CONFLICT, "secrets_full", "The channel has as many secrets as it may";
    ChangeConflict = CONFLICT, "change_conflict", "It was changed by others at the same time";
    IdempotencyMismatch = CONFLICT, "idempotency_mismatch", "The Idempotency-Key was used for another request";
    IdempotencyInProgress = CONFLICT, "idempotency_in_progress", "The same request is under way";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    TargetTooLong = URI_TOO_LONG, "target_too_long", "The request target is too long";
    ContentTypeUnsupported = UNSUPPORTED_MEDIA_TYPE, "content_type_unsupported", "The content type is not supported";
    ContentEncodingUnsupported =
        UNSUPPORTED_MEDIA_TYPE, "content_encoding_unsupported", "Encoded bodies are not supported";
    TooManyRequests = TOO_MANY_REQUESTS, "too_many_requests", "Too many requests";
    HeadersTooLarge = REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "The headers are too large";
    Internal = INTERNAL_SERVER_ERROR, "internal", "The service failed";
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer now";
    NotReady = SERVICE_UNAVAILABLE, "not_ready", "The service is not ready";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_is_an_error_and_has_a_name_of_its_own() {
        let names: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
            assert!(code.type_uri().ends_with(code.as_str()));
            let snake = code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(snake && !code.title().is_empty(), "{code:?}");
        }
    }
}
