DROP TABLE idempotency;
DROP TABLE audit_log;
DROP TABLE removals;
DROP TABLE integrations;
DROP TABLE sync_targets;
DROP TABLE agents;
DROP TABLE api_keys;
DROP TABLE meta;
