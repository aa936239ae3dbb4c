-- name: every_policy
SELECT topic, value, updated_at, updated_by FROM policies ORDER BY topic

-- name: find_policy
SELECT topic, value, updated_at, updated_by FROM policies WHERE topic = $1

-- name: put_policy
INSERT INTO policies (topic, value, updated_by) VALUES ($1, $2, $3)
ON CONFLICT (topic) DO UPDATE SET value = excluded.value, updated_at = now(), updated_by = excluded.updated_by
RETURNING topic, value, updated_at, updated_by
