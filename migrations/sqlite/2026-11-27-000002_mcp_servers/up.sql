-- Which MCP servers are switched on. An agent without integrations of a provider has no row for it.
CREATE TABLE mcp_selections (
    agent_id BLOB NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    provider TEXT NOT NULL,
    PRIMARY KEY (agent_id, provider)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER integrations_end_mcp_selection AFTER DELETE ON integrations
BEGIN
    DELETE FROM mcp_selections WHERE agent_id = OLD.agent_id AND provider = OLD.provider
        AND NOT EXISTS (SELECT 1 FROM integrations WHERE agent_id = OLD.agent_id AND provider = OLD.provider);
END;

-- What a runtime at one address was handed.
CREATE TABLE deployments (
    target_id BLOB NOT NULL PRIMARY KEY REFERENCES sync_targets (id) ON DELETE CASCADE,
    -- Keyed; null until it has confirmed one.
    digest BLOB CHECK (length(digest) = 32),
    applied_at INTEGER,
    -- The servers it may hold.
    servers TEXT NOT NULL,
    CHECK ((digest IS NULL) = (applied_at IS NULL))
) STRICT, WITHOUT ROWID;

-- Redeploys that were asked for, and how the last one ended.
CREATE TABLE redeploys (
    agent_id BLOB NOT NULL PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('done', 'pending', 'repeated')),
    -- Asked for again while one was under way.
    again INTEGER NOT NULL CHECK (again IN (0, 1)),
    attempt INTEGER NOT NULL,
    -- The last failure was a permanent one.
    blocked INTEGER NOT NULL CHECK (blocked IN (0, 1)),
    next_attempt_at INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    lease_until INTEGER,
    lease_owner BLOB,
    failure_class TEXT,
    failure_at INTEGER,
    CHECK ((lease_until IS NULL) = (lease_owner IS NULL)),
    CHECK ((failure_class IS NULL) = (failure_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX redeploys_due ON redeploys (next_attempt_at) WHERE state <> 'done' AND blocked = 0;
