-- Partitions of usage_records (a day, UTC) and usage_transfers (a month). Made by the owner; their names carry the date,
-- so the statements that make them are put together in partitions.py.

-- name: lock_makers
SELECT pg_advisory_xact_lock(4711001)

-- name: partitions_of
SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass($1)

-- name: serve_role_exists
SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'airouter_serve')

-- name: rows_in_default
SELECT (SELECT count(*) FROM usage_records_default) AS usage_records, (SELECT count(*) FROM usage_transfers_default) AS usage_transfers
