-- Times are microseconds since 1970-01-01T00:00:00Z. JSON is text: jsonb refuses legal JSON and loses order.

CREATE TABLE meta (
    key text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY,
    public_id text NOT NULL CONSTRAINT api_keys_public_id_key UNIQUE,
    name text NOT NULL,
    scopes text NOT NULL,
    workspace text NOT NULL,
    hash bytea NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint,
    last_used_at bigint,
    revoked_at bigint
);

CREATE INDEX api_keys_listed ON api_keys (workspace, created_at DESC, id DESC) WHERE revoked_at IS NULL;

CREATE TABLE agents (
    id uuid CONSTRAINT agents_pkey PRIMARY KEY,
    workspace text NOT NULL,
    name text NOT NULL,
    data_key bytea NOT NULL,
    revision bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    -- Its rows and key stay until its runtimes are purged.
    deleted_at bigint
);

CREATE INDEX agents_listed ON agents (workspace, created_at DESC, id DESC) WHERE deleted_at IS NULL;

CREATE TABLE sync_targets (
    id uuid PRIMARY KEY,
    -- No cascade: an agent's row must outlive the purge of its runtimes.
    agent_id uuid NOT NULL REFERENCES agents (id),
    role text NOT NULL CHECK (role IN ('live', 'retired')),
    kind text NOT NULL,
    url text,
    gateway_url text,
    gateway_origin text,
    device_id text,
    secrets bytea NOT NULL,
    secrets_version bigint NOT NULL,
    desired bigint NOT NULL,
    applied bigint NOT NULL,
    attempt bigint NOT NULL,
    -- A permanent failure.
    blocked boolean NOT NULL,
    next_attempt_at bigint NOT NULL,
    next_check_at bigint NOT NULL,
    fence bigint NOT NULL,
    lease_until bigint,
    lease_owner text,
    last_synced_at bigint,
    failure_class text,
    failure_at bigint,
    variables text NOT NULL,
    purge_until bigint,
    created_at bigint NOT NULL,
    -- Whether what is due is a check and not a push.
    is_check boolean NOT NULL GENERATED ALWAYS AS (role = 'live' AND desired <= applied) STORED,
    -- When there is something to do: null while a permanent failure lasts.
    due_at bigint GENERATED ALWAYS AS (
        CASE
            WHEN role = 'retired' THEN least(purge_until, CASE WHEN NOT blocked THEN next_attempt_at END)
            WHEN blocked THEN NULL
            WHEN desired > applied THEN next_attempt_at
            ELSE next_check_at
        END
    ) STORED,
    CHECK ((role = 'retired') = (purge_until IS NOT NULL)),
    CHECK ((failure_class IS NULL) = (failure_at IS NULL))
)
-- Each claim, renewal and release rewrites the row in place: none of them touches an indexed column.
WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

CREATE UNIQUE INDEX sync_targets_live_agent_key ON sync_targets (agent_id) WHERE role = 'live';
CREATE UNIQUE INDEX sync_targets_live_gateway_key ON sync_targets (gateway_origin) WHERE role = 'live';
CREATE INDEX sync_targets_agent ON sync_targets (agent_id);
CREATE INDEX sync_targets_due ON sync_targets (is_check, due_at, id) WHERE due_at IS NOT NULL;

-- Which processes have claimed targets. One that holds no advisory lock any more has died.
CREATE TABLE servers (
    name text PRIMARY KEY,
    host text NOT NULL,
    started_at bigint NOT NULL
);

CREATE TABLE integrations (
    id uuid PRIMARY KEY,
    agent_id uuid NOT NULL REFERENCES agents (id),
    provider text NOT NULL,
    label text NOT NULL,
    config text NOT NULL,
    secret_fields text NOT NULL,
    secrets bytea,
    secrets_version bigint NOT NULL,
    readable boolean NOT NULL,
    -- The desired generation its last change raised the agent to.
    generation bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    CONSTRAINT integrations_agent_provider_label_key UNIQUE (agent_id, provider, label)
);

CREATE TABLE removals (
    integration_id uuid PRIMARY KEY,
    agent_id uuid NOT NULL REFERENCES agents (id),
    provider text NOT NULL,
    label text NOT NULL,
    names text NOT NULL,
    generation bigint NOT NULL,
    removed_at bigint NOT NULL,
    confirmed_at bigint
);

CREATE INDEX removals_listed ON removals (agent_id, removed_at DESC, integration_id DESC);

-- No foreign keys: the trail outlives what it is about.
CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    at bigint NOT NULL,
    workspace text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    action text NOT NULL,
    resource_kind text NOT NULL,
    resource_id text NOT NULL,
    agent_id uuid,
    purpose text,
    outcome text NOT NULL,
    request_id uuid
);

CREATE INDEX audit_log_listed ON audit_log (workspace, at DESC, id DESC);

CREATE TABLE idempotency (
    principal text NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    body_digest bytea NOT NULL,
    status smallint NOT NULL,
    location text,
    body text NOT NULL,
    expires_at bigint NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (principal, route, key)
);

CREATE INDEX idempotency_expiry ON idempotency (expires_at);
