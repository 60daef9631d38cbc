//! The tables, as the migrations make them.

diesel::table! {
    meta (key) {
        key -> Text,
        value -> Binary,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Binary,
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
    agents (id) {
        id -> Binary,
        workspace -> Text,
        name -> Text,
        data_key -> Binary,
        revision -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
        deleted_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sync_targets (id) {
        id -> Binary,
        agent_id -> Binary,
        role -> Text,
        kind -> Text,
        url -> Nullable<Text>,
        gateway_url -> Nullable<Text>,
        gateway_origin -> Nullable<Text>,
        device_id -> Nullable<Text>,
        secrets -> Binary,
        secrets_version -> BigInt,
        desired -> BigInt,
        applied -> BigInt,
        attempt -> BigInt,
        blocked -> Bool,
        next_attempt_at -> BigInt,
        next_check_at -> BigInt,
        fence -> BigInt,
        lease_until -> Nullable<BigInt>,
        lease_owner -> Nullable<Binary>,
        last_synced_at -> Nullable<BigInt>,
        failure_class -> Nullable<Text>,
        failure_at -> Nullable<BigInt>,
        variables -> Text,
        owned -> Text,
        retired_at -> Nullable<BigInt>,
        purge_until -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    integrations (id) {
        id -> Binary,
        agent_id -> Binary,
        provider -> Text,
        label -> Text,
        config -> Text,
        secret_fields -> Text,
        secrets -> Nullable<Binary>,
        secrets_version -> BigInt,
        readable -> Bool,
        generation -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    removals (integration_id) {
        integration_id -> Binary,
        agent_id -> Binary,
        provider -> Text,
        label -> Text,
        names -> Text,
        generation -> BigInt,
        removed_at -> BigInt,
        confirmed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    mcp_selections (agent_id, provider) {
        agent_id -> Binary,
        provider -> Text,
    }
}

diesel::table! {
    deployments (target_id) {
        target_id -> Binary,
        digest -> Nullable<Binary>,
        applied_at -> Nullable<BigInt>,
        servers -> Text,
    }
}

diesel::table! {
    redeploys (agent_id) {
        agent_id -> Binary,
        state -> Text,
        again -> Bool,
        attempt -> BigInt,
        blocked -> Bool,
        next_attempt_at -> BigInt,
        fence -> BigInt,
        lease_until -> Nullable<BigInt>,
        lease_owner -> Nullable<Binary>,
        failure_class -> Nullable<Text>,
        failure_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit_log (workspace, at, id) {
        workspace -> Text,
        at -> BigInt,
        id -> Binary,
        actor_kind -> Text,
        actor_id -> Text,
        action -> Text,
        resource_kind -> Text,
        resource_id -> Text,
        agent_id -> Nullable<Binary>,
        purpose -> Nullable<Text>,
        outcome -> Text,
        request_id -> Nullable<Binary>,
    }
}

diesel::table! {
    idempotency (principal, route, key) {
        principal -> Text,
        route -> Text,
        key -> Text,
        body_digest -> Binary,
        status -> Integer,
        location -> Nullable<Text>,
        body -> Text,
        expires_at -> BigInt,
    }
}

diesel::table! {
    channels (id) {
        id -> Binary,
        agent_id -> Binary,
        kind -> Text,
        name -> Text,
        config -> Text,
        verification -> Text,
        enabled -> Bool,
        paused -> Bool,
        revision -> BigInt,
        enrol_until -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        removed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    channel_secrets (id) {
        id -> Binary,
        channel_id -> Binary,
        role -> Text,
        secret -> Binary,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    receipts (id) {
        id -> BigInt,
        last -> BigInt,
    }
}

diesel::table! {
    events (id) {
        id -> Binary,
        channel_id -> Binary,
        received_at -> BigInt,
        verdict -> Text,
        verified_by -> Nullable<Binary>,
        handler -> Integer,
        delivery_id -> Nullable<Text>,
        dedupe_key -> Nullable<Binary>,
        event_type -> Nullable<Text>,
        ordering_key -> Text,
        state -> Text,
        queued -> BigInt,
        replay_sequence -> Nullable<BigInt>,
        replayed -> Bool,
        attempts -> BigInt,
        last_error -> Nullable<Text>,
    }
}

diesel::table! {
    event_bodies (event_id) {
        event_id -> Binary,
        query -> Text,
        headers -> Binary,
        body -> Binary,
    }
}

diesel::table! {
    lanes (id) {
        id -> BigInt,
        channel_id -> Binary,
        ordering_key -> Text,
        agent_id -> Binary,
        paused -> Bool,
        due_at -> Nullable<BigInt>,
        claimed -> BigInt,
        attempt -> BigInt,
        begun_at -> BigInt,
        fence -> BigInt,
        lease_until -> Nullable<BigInt>,
        lease_owner -> Nullable<Binary>,
    }
}

diesel::table! {
    deliveries (lane_id, sequence) {
        lane_id -> BigInt,
        sequence -> BigInt,
        event_id -> Binary,
        replay -> Bool,
    }
}

diesel::table! {
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    agents,
    sync_targets,
    integrations,
    channels,
    channel_secrets,
    events,
    event_bodies,
    lanes,
    deliveries,
    deployments,
    redeploys
);
