-- name: every_group
SELECT name, label, multiplier_micros, models, is_public, usable_by, overrides, members, rate_limits, created_at FROM groups ORDER BY name

-- name: page_of_groups
SELECT name, label, multiplier_micros, models, is_public, usable_by, overrides, members, rate_limits, created_at
FROM groups WHERE name > $1 ORDER BY name LIMIT $2

-- name: find_group
SELECT name, label, multiplier_micros, models, is_public, usable_by, overrides, members, rate_limits, created_at FROM groups WHERE name = $1

-- name: lock_groups
-- A group, and those that it is to stand for: by name, so that two that are changed to stand for each other take turns.
SELECT name, label, multiplier_micros, models, is_public, usable_by, overrides, members, rate_limits, created_at
FROM groups WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE

-- name: insert_group
-- No row: there is one of that name already.
INSERT INTO groups (name, label, multiplier_micros, models, is_public, usable_by, overrides, rate_limits, members)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (name) DO NOTHING
RETURNING name, label, multiplier_micros, models, is_public, usable_by, overrides, members, rate_limits, created_at

-- name: update_group
UPDATE groups SET label = $2, multiplier_micros = $3, models = $4, is_public = $5, usable_by = $6, overrides = $7, rate_limits = $8,
  members = $9
WHERE name = $1
RETURNING name, label, multiplier_micros, models, is_public, usable_by, overrides, members, rate_limits, created_at

-- name: delete_group
DELETE FROM groups WHERE name = $1 RETURNING name

-- name: forget_group_in_deleted_keys
-- They stand for nothing but their usage, which keeps the group's name itself.
UPDATE keys SET group_name = NULL
WHERE key_id IN (SELECT key_id FROM keys WHERE group_name = $1 AND status = 'deleted' ORDER BY key_id FOR NO KEY UPDATE)

-- name: users_of_group
-- What still refers to the group, in words.
SELECT
  EXISTS (SELECT 1 FROM accounts WHERE group_name = $1) AS accounts,
  EXISTS (SELECT 1 FROM keys WHERE group_name = $1 AND status <> 'deleted') AS keys,
  EXISTS (SELECT 1 FROM channels WHERE $1 = ANY(groups)) AS channels,
  EXISTS (SELECT 1 FROM groups WHERE name <> $1 AND ($1 = ANY(usable_by) OR $1 = ANY(members) OR overrides ? $1)) AS groups,
  EXISTS (SELECT 1 FROM redemption_batches
          WHERE $1 = ANY(groups) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())) AS redemption_batches,
  EXISTS (SELECT 1 FROM policies WHERE topic = 'signup' AND value ->> 'group' = $1) AS policies

-- name: members_of_groups
-- Of these groups: which are there, and do they stand for others themselves.
SELECT name, cardinality(members) > 0 AS stands_for_others FROM groups WHERE name = ANY($1::text[])

-- name: is_member
SELECT EXISTS (SELECT 1 FROM groups WHERE $1 = ANY(members))
