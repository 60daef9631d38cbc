-- What this service has put into a runtime that others write to as well, as JSON: names, digests and times.
ALTER TABLE sync_targets ADD COLUMN owned TEXT NOT NULL DEFAULT '[]';

-- Since when a retired target is to be empty.
ALTER TABLE sync_targets ADD COLUMN retired_at INTEGER;
