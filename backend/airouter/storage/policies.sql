-- name: every_policy
SELECT topic, value, updated_at, updated_by FROM policies ORDER BY topic

-- name: find_policy
SELECT topic, value, updated_at, updated_by FROM policies WHERE topic = $1

-- name: put_policy
INSERT INTO policies (topic, value, updated_by) VALUES ($1, $2, $3)
ON CONFLICT (topic) DO UPDATE SET value = excluded.value, updated_at = now(), updated_by = excluded.updated_by
RETURNING topic, value, updated_at, updated_by

-- name: keep_policy
-- The topic's row is locked by its own change, so no two versions get one number.
INSERT INTO policy_history (topic, version, value, changed_by)
SELECT $1, coalesce(max(version), 0) + 1, $2, $3 FROM policy_history WHERE topic = $1

-- name: policy_history
SELECT h.topic, h.version, h.value, h.changed_at, h.changed_by, u.email AS changed_by_email
FROM policy_history h LEFT JOIN users u ON u.user_id = h.changed_by
WHERE h.topic = $1 AND ($2::integer IS NULL OR h.version < $2) ORDER BY h.version DESC LIMIT $3

-- name: find_policy_version
SELECT h.topic, h.version, h.value, h.changed_at, h.changed_by, u.email AS changed_by_email
FROM policy_history h LEFT JOIN users u ON u.user_id = h.changed_by
WHERE h.topic = $1 AND h.version = $2
