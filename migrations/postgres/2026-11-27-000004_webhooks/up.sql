CREATE TABLE channels (
    id uuid CONSTRAINT channels_pkey PRIMARY KEY,
    -- No foreign key: the agent's row may go before the last of the channel's events.
    agent_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    config text NOT NULL,
    verification text NOT NULL CHECK (verification IN ('secret', 'none', 'handshake')),
    enabled boolean NOT NULL,
    paused boolean NOT NULL,
    revision bigint NOT NULL,
    enrol_until bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    -- Absent from then on. Its row stays until its events are deleted, which happens in small batches.
    removed_at bigint
);

CREATE INDEX channels_listed ON channels (agent_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX channels_removed ON channels (removed_at, id) WHERE removed_at IS NOT NULL;

CREATE TABLE channel_secrets (
    id uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES channels (id),
    role text NOT NULL CHECK (role IN ('signing', 'verify_token')),
    secret bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint
);

CREATE INDEX channel_secrets_channel ON channel_secrets (channel_id);

-- Places in the order of receipt. One is drawn for a lane only while the lane's row is locked.
CREATE SEQUENCE receipts;

-- Each claim rewrites the row in place; a delivery's end does not, because the state is indexed.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    channel_id uuid NOT NULL,
    received_at bigint NOT NULL,
    verdict text NOT NULL,
    verified_by uuid,
    handler integer NOT NULL,
    delivery_id text,
    -- The channel's id and the key within the channel, as one value: one index answers for it, whatever else is known.
    dedupe_key bytea,
    event_type text,
    ordering_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    -- How many of its deliveries have not ended.
    queued bigint NOT NULL,
    -- The place of a replay that was not begun yet.
    replay_sequence bigint,
    replayed boolean NOT NULL,
    attempts bigint NOT NULL,
    last_error text,
    CHECK ((state = 'pending') = (queued > 0))
)
WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX events_dedupe_key ON events (dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX events_listed ON events (channel_id, state, received_at DESC, id DESC);
CREATE INDEX events_pending ON events (received_at) WHERE state = 'pending';
CREATE INDEX events_ended ON events (received_at) WHERE state <> 'pending';
CREATE INDEX events_dead ON events (channel_id) WHERE state = 'dead';

-- What is big and never changes.
CREATE TABLE event_bodies (
    event_id uuid PRIMARY KEY,
    query text NOT NULL,
    headers bytea NOT NULL,
    body bytea NOT NULL
);

-- The deliveries of one (channel, ordering key). Whoever adds to it, claims from it or ends a delivery of it locks
-- this row before anything else.
CREATE TABLE lanes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel_id uuid NOT NULL,
    ordering_key text NOT NULL,
    agent_id uuid NOT NULL,
    paused boolean NOT NULL,
    -- When its first delivery is due; null while it has none.
    due_at bigint,
    -- Drawn at the last addition, before the places of what was added.
    added bigint NOT NULL,
    -- The place of the last delivery that has ended: those before it are gone.
    ended bigint NOT NULL DEFAULT 0,
    -- The place of the delivery that was claimed last, and what its claims left.
    claimed bigint NOT NULL DEFAULT 0,
    attempt bigint NOT NULL DEFAULT 0,
    begun_at bigint NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0,
    lease_until bigint,
    lease_owner text,
    CONSTRAINT lanes_channel_ordering_key UNIQUE (channel_id, ordering_key)
)
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX lanes_due ON lanes (due_at, id) WHERE due_at IS NOT NULL AND NOT paused;
CREATE INDEX lanes_idle ON lanes (id) WHERE due_at IS NULL AND ordering_key <> '';

-- What waits, by its place in its lane. A row lives from receipt to the end of the delivery.
CREATE TABLE deliveries (
    lane_id bigint NOT NULL,
    sequence bigint NOT NULL,
    event_id uuid NOT NULL,
    replay boolean NOT NULL,
    PRIMARY KEY (lane_id, sequence)
)
WITH (autovacuum_vacuum_scale_factor = 0.05);
