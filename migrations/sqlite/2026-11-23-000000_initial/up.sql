-- Ids are 16 bytes, times are microseconds since 1970 UTC, flags are 0 or 1, JSON is kept as it was written.

CREATE TABLE meta (
    key TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    public_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- Separated by spaces.
    scopes TEXT NOT NULL,
    workspace TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    revoked_at INTEGER
) STRICT;

CREATE INDEX api_keys_listed ON api_keys (workspace, created_at DESC, id DESC) WHERE revoked_at IS NULL;

CREATE TABLE agents (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    workspace TEXT NOT NULL,
    name TEXT NOT NULL,
    data_key BLOB NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    -- Its targets are being emptied; the row goes with the last of them.
    deleted_at INTEGER
) STRICT;

CREATE INDEX agents_listed ON agents (workspace, created_at DESC, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE sync_targets (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    agent_id BLOB NOT NULL REFERENCES agents (id),
    role TEXT NOT NULL CHECK (role IN ('live', 'retired')),
    kind TEXT NOT NULL,
    url TEXT,
    gateway_url TEXT,
    gateway_origin TEXT,
    device_id TEXT,
    secrets BLOB NOT NULL,
    secrets_version INTEGER NOT NULL,
    desired INTEGER NOT NULL,
    applied INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    -- The last failure was a permanent one.
    blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
    next_attempt_at INTEGER NOT NULL,
    next_check_at INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    lease_owner BLOB,
    last_synced_at INTEGER,
    failure_class TEXT,
    failure_at INTEGER,
    variables TEXT NOT NULL,
    purge_until INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((role = 'retired') = (purge_until IS NOT NULL)),
    CHECK ((gateway_url IS NULL) = (gateway_origin IS NULL)),
    CHECK ((lease_until IS NULL) = (lease_owner IS NULL)),
    CHECK ((failure_class IS NULL) = (failure_at IS NULL))
) STRICT;

CREATE INDEX sync_targets_of_agent ON sync_targets (agent_id);
CREATE UNIQUE INDEX sync_targets_live ON sync_targets (agent_id) WHERE role = 'live';
CREATE UNIQUE INDEX sync_targets_gateway ON sync_targets (gateway_origin)
    WHERE role = 'live' AND gateway_origin IS NOT NULL;

-- What a claim looks through: each holds only rows that are or will be due.
CREATE INDEX sync_targets_push ON sync_targets (next_attempt_at) WHERE desired > applied AND blocked = 0;
CREATE INDEX sync_targets_check ON sync_targets (next_check_at)
    WHERE role = 'live' AND desired = applied AND blocked = 0;
CREATE INDEX sync_targets_purge ON sync_targets (purge_until) WHERE role = 'retired';
CREATE INDEX sync_targets_leased ON sync_targets (lease_until) WHERE lease_until IS NOT NULL;

CREATE TABLE integrations (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    agent_id BLOB NOT NULL REFERENCES agents (id),
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    config TEXT NOT NULL,
    -- Names, never values.
    secret_fields TEXT NOT NULL,
    secrets BLOB,
    secrets_version INTEGER NOT NULL,
    readable INTEGER NOT NULL CHECK (readable IN (0, 1)),
    generation INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (agent_id, provider, label)
) STRICT;

CREATE INDEX integrations_listed ON integrations (agent_id, created_at DESC, id DESC);

CREATE TABLE removals (
    integration_id BLOB NOT NULL PRIMARY KEY CHECK (length(integration_id) = 16),
    agent_id BLOB NOT NULL REFERENCES agents (id),
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    names TEXT NOT NULL,
    -- The desired generation without it.
    generation INTEGER NOT NULL,
    removed_at INTEGER NOT NULL,
    confirmed_at INTEGER
) STRICT;

CREATE INDEX removals_listed ON removals (agent_id, removed_at DESC, integration_id DESC);
CREATE INDEX removals_unconfirmed ON removals (agent_id, generation) WHERE confirmed_at IS NULL;

-- Lines are only ever added at the end and read from it, so the table is its own and only index.
CREATE TABLE audit_log (
    workspace TEXT NOT NULL,
    at INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    actor_kind TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    action TEXT NOT NULL,
    resource_kind TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    agent_id BLOB,
    purpose TEXT,
    outcome TEXT NOT NULL,
    request_id BLOB,
    PRIMARY KEY (workspace, at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    route TEXT NOT NULL,
    key TEXT NOT NULL,
    body_digest BLOB NOT NULL CHECK (length(body_digest) = 32),
    status INTEGER NOT NULL,
    location TEXT,
    body TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (principal, route, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expired ON idempotency (expires_at);
