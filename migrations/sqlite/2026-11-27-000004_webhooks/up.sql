CREATE TABLE channels (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- No foreign key: the agent's row may go before the last of the channel's events.
    agent_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    config TEXT NOT NULL,
    verification TEXT NOT NULL CHECK (verification IN ('secret', 'none', 'handshake')),
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    revision INTEGER NOT NULL,
    enrol_until INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Absent from then on. Its row stays until its events are deleted, which happens in small batches.
    removed_at INTEGER
) STRICT;

CREATE INDEX channels_listed ON channels (agent_id, created_at DESC, id DESC) WHERE removed_at IS NULL;
CREATE INDEX channels_removed ON channels (removed_at, id) WHERE removed_at IS NOT NULL;

CREATE TABLE channel_secrets (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    channel_id BLOB NOT NULL REFERENCES channels (id),
    role TEXT NOT NULL CHECK (role IN ('signing', 'verify_token')),
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;

CREATE INDEX channel_secrets_channel ON channel_secrets (channel_id);

-- The last place that was drawn in the order of receipt.
CREATE TABLE receipts (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last INTEGER NOT NULL
) STRICT;

INSERT INTO receipts (id, last) VALUES (1, 0);

CREATE TABLE events (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    channel_id BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    verified_by BLOB,
    handler INTEGER NOT NULL,
    delivery_id TEXT,
    -- The channel's id and the key within the channel, as one value: one index answers for it, whatever else is known.
    dedupe_key BLOB,
    event_type TEXT,
    ordering_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    -- How many of its deliveries have not ended.
    queued INTEGER NOT NULL,
    -- The place of a replay that was not begun yet.
    replay_sequence INTEGER,
    replayed INTEGER NOT NULL CHECK (replayed IN (0, 1)),
    attempts INTEGER NOT NULL,
    last_error TEXT,
    CHECK ((state = 'pending') = (queued > 0))
) STRICT;

CREATE UNIQUE INDEX events_dedupe_key ON events (dedupe_key) WHERE dedupe_key IS NOT NULL;
CREATE INDEX events_listed ON events (channel_id, state, received_at DESC, id DESC);
CREATE INDEX events_pending ON events (received_at) WHERE state = 'pending';
CREATE INDEX events_ended ON events (received_at) WHERE state <> 'pending';
CREATE INDEX events_dead ON events (channel_id) WHERE state = 'dead';

-- What is big and never changes.
CREATE TABLE event_bodies (
    event_id BLOB NOT NULL PRIMARY KEY CHECK (length(event_id) = 16),
    query TEXT NOT NULL,
    headers BLOB NOT NULL,
    body BLOB NOT NULL
) STRICT;

-- The deliveries of one (channel, ordering key).
CREATE TABLE lanes (
    id INTEGER PRIMARY KEY,
    channel_id BLOB NOT NULL,
    ordering_key TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    -- When its first delivery is due; null while it has none.
    due_at INTEGER,
    -- The place of the delivery that was claimed last, and what its claims left.
    claimed INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    begun_at INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    lease_owner BLOB,
    UNIQUE (channel_id, ordering_key),
    CHECK ((lease_until IS NULL) = (lease_owner IS NULL))
) STRICT;

CREATE INDEX lanes_due ON lanes (due_at, id) WHERE due_at IS NOT NULL AND paused = 0;
CREATE INDEX lanes_idle ON lanes (id) WHERE due_at IS NULL AND ordering_key <> '';
CREATE INDEX lanes_leased ON lanes (lease_until) WHERE lease_until IS NOT NULL;

-- What waits, by its place in its lane. A row lives from receipt to the end of the delivery.
CREATE TABLE deliveries (
    lane_id INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    replay INTEGER NOT NULL CHECK (replay IN (0, 1)),
    PRIMARY KEY (lane_id, sequence)
) STRICT, WITHOUT ROWID;
