-- name: bump_version
UPDATE versions SET version = version + 1 WHERE name = $1

-- name: notify
SELECT pg_notify($1, $2)

-- name: versions
SELECT name, version FROM versions
