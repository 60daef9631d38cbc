-- Which MCP servers are switched on. An agent without integrations of a provider has no row for it.
CREATE TABLE mcp_selections (
    agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
    provider text NOT NULL,
    PRIMARY KEY (agent_id, provider)
);

-- A trigger sees what others have committed while the removal waited for its turn; a part of the removal's own
-- statement would not.
CREATE FUNCTION end_mcp_selection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM mcp_selections WHERE agent_id = OLD.agent_id AND provider = OLD.provider
        AND NOT EXISTS (SELECT FROM integrations WHERE agent_id = OLD.agent_id AND provider = OLD.provider);
    RETURN NULL;
END
$$;

CREATE TRIGGER integrations_end_mcp_selection AFTER DELETE ON integrations
    FOR EACH ROW EXECUTE FUNCTION end_mcp_selection();

-- What a runtime at one address was handed.
CREATE TABLE deployments (
    target_id uuid PRIMARY KEY REFERENCES sync_targets (id) ON DELETE CASCADE,
    -- Keyed; null until it has confirmed one.
    digest bytea,
    applied_at bigint,
    -- The servers it may hold.
    servers text NOT NULL,
    CHECK ((digest IS NULL) = (applied_at IS NULL))
);

-- Redeploys that were asked for, and how the last one ended.
CREATE TABLE redeploys (
    agent_id uuid PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
    state text NOT NULL CHECK (state IN ('done', 'pending', 'repeated')),
    -- Asked for again while one was under way.
    again boolean NOT NULL,
    attempt bigint NOT NULL,
    -- A permanent failure.
    blocked boolean NOT NULL,
    next_attempt_at bigint NOT NULL,
    fence bigint NOT NULL,
    lease_until bigint,
    lease_owner text,
    failure_class text,
    failure_at bigint,
    CHECK ((failure_class IS NULL) = (failure_at IS NULL))
);

CREATE INDEX redeploys_due ON redeploys (next_attempt_at) WHERE state <> 'done' AND NOT blocked;
