ALTER TABLE sync_targets DROP COLUMN retired_at;
ALTER TABLE sync_targets DROP COLUMN owned;
