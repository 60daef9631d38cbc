//! The tables that diesel's query builder reads. `migrations/postgres` is where they are made.

diesel::table! {
    api_keys (id) {
        id -> Uuid,
        public_id -> Text,
        name -> Text,
        scopes -> Text,
        workspace -> Text,
        hash -> Binary,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_log (id) {
        id -> Uuid,
        at -> BigInt,
        workspace -> Text,
        actor_kind -> Text,
        actor_id -> Text,
        action -> Text,
        resource_kind -> Text,
        resource_id -> Text,
        agent_id -> Nullable<Uuid>,
        purpose -> Nullable<Text>,
        outcome -> Text,
        request_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    idempotency (principal, route, key) {
        principal -> Text,
        route -> Text,
        key -> Text,
        body_digest -> Binary,
        status -> SmallInt,
        location -> Nullable<Text>,
        body -> Text,
        expires_at -> BigInt,
    }
}
